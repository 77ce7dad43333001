using System.Diagnostics;
using System.Security.Cryptography;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>
/// Brings the published stack to a swarm, that of the engine which <c>DOCKER_HOST</c> or the docker context names: look, migrate, update,
/// and wait until what was asked for runs or is what it was before.
/// </summary>
/// <param name="uvlhub">The checkout and the settings.</param>
/// <param name="model">What is deployed.</param>
/// <param name="folder">Where it was published.</param>
/// <param name="logger">The step's log.</param>
internal sealed partial class SwarmDeployment(UvlhubEnvironment uvlhub, PublishedModel model, string folder, ILogger logger)
{
    private static readonly TimeSpan s_deployed = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private readonly SwarmStack _stack = new(uvlhub.Engine, model.Name);

    /// <summary>What was deployed, and the way back.</summary>
    public SwarmDeployments Deployments => field ??= new(_stack, TimeProvider.System);

    /// <summary>Who deploys.</summary>
    public static string Person => $"{Environment.UserName}@{Environment.MachineName}";

    /// <summary>Looks whether the swarm can take the stack, labels its only node, and makes the secrets that it lacks.</summary>
    /// <exception cref="DistributedApplicationException">It cannot; the message has everything that is missing, and what to do.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await CheckManagerAsync(cancellationToken);
        List<string> problems = [.. await LabelProblemsAsync(cancellationToken), .. SettingProblems()];
        var existing = (await AskAsync(cancellationToken, "secret", "ls", "--format", "{{.Name}}")).Split('\n').ToHashSet(StringComparer.Ordinal);
        var made = new List<(string Name, string Value)>();
        var examples = RequiredSecrets.Examples(uvlhub.Checkout.Path);
        foreach (var secret in SwarmTarget.SecretsOf(model.Services, readFromFiles: true))
        {
            var name = SwarmTarget.SecretName(model, secret);
            if (existing.Contains(name))
            {
                continue;
            }

            if (OfFile(secret) is { } written && RequiredSecrets.Weakness(secret.Name, written, examples) is { } weakness)
            {
                problems.Add($"{SettingsFile}:{uvlhub.Checkout.EnvironmentFile.LineOf(secret.Name)}: {secret.Name} {weakness}");
            }
            else if (Given(secret) is { } value)
            {
                made.Add((name, value));
            }
            else
            {
                problems.Add(
                    $"the secret {name} ({secret.Description}) is not in the swarm, and {SettingsFile} has no {secret.Name}: write it "
                    + $"there, or 'docker secret create {name} FILE'"
                    + (CanBeMadeUp(secret) ? $", or {UvlhubOptions.Section}:{nameof(UvlhubOptions.Secrets)}=generated" : ""));
            }
        }

        if (problems.Count > 0)
        {
            throw new DistributedApplicationException(
                $"{model.Name} cannot be deployed:{Environment.NewLine}{string.Join(Environment.NewLine, problems)}");
        }

        foreach (var (name, value) in made)
        {
            await MakeSecretAsync(name, value, cancellationToken);
            LogSecretMade(name);
        }
    }

    /// <summary>Runs the new version's migrator and waits for its end; nothing of the site is updated.</summary>
    /// <returns>What it said.</returns>
    /// <exception cref="UserErrorException">It failed; the message has its last lines.</exception>
    public Task<string> MigrateAsync(CancellationToken cancellationToken) => _stack.MigrateAsync(
        model.Services.Single(service => service.Kind == PublishedKind.Job).Name,
        () => DeployAsync(SwarmTarget.MigrationFile, cancellationToken),
        uvlhub.Options.Migrator.Longest(),
        cancellationToken);

    /// <summary>Updates everything and waits until it runs.</summary>
    /// <returns>What changed, a line each.</returns>
    /// <exception cref="UserErrorException">Something does not come up; what was there before serves again, and the message has the last
    /// lines of what did not.</exception>
    public async Task<IReadOnlyList<string>> UpdateAsync(CancellationToken cancellationToken)
    {
        var changes = await Deployments.DeployAsync(
            Person, () => DeployAsync(SwarmTarget.StackFile, cancellationToken, "--prune"), cancellationToken);
        LogUpdated(changes.Count == 0 ? "nothing has changed" : string.Join("; ", changes));
        return changes;
    }

    /// <summary>Where the site answers: each ready node that runs nginx.</summary>
    public async Task<IReadOnlyList<string>> AddressesAsync(CancellationToken cancellationToken)
    {
        var gateway = model.Services.FirstOrDefault(service => service.Kind == PublishedKind.Gateway)?.Name;
        if (gateway is null)
        {
            return [];
        }

        var nodes = (await AskAsync(
            cancellationToken, "service", "ps", "--filter", "desired-state=running", "--format", "{{.Node}}", _stack.FullName(gateway)))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct();
        var addresses = await AskAsync(cancellationToken, ["node", "inspect", "--format", "{{.Status.Addr}}", .. nodes]);
        return [.. addresses.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(address => $"http://{address}")];
    }

    /// <summary>Takes the stack away; rows, uploads, snapshots and secrets stay.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await AskAsync(cancellationToken, "stack", "rm", model.Name);
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < s_deployed
            && await AskAsync(cancellationToken, "ps", "--quiet", "--filter", $"label=com.docker.stack.namespace={model.Name}") is { Length: > 0 })
        {
            await Task.Delay(s_pause, cancellationToken);
        }
    }

    private async Task CheckManagerAsync(CancellationToken cancellationToken)
    {
        var state = await AskAsync(cancellationToken, "info", "--format", "{{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}");
        if (state != "active true")
        {
            throw new DistributedApplicationException(state.StartsWith("active", StringComparison.Ordinal)
                ? $"{Target} is a worker of a swarm: deploy to one of its managers (DOCKER_HOST, or 'docker context use NAME')"
                : $"{Target} is in no swarm. 'docker swarm init --advertise-addr ADDRESS' makes it one of its own, where ADDRESS is what other "
                    + "nodes would reach it by; it then listens on 2377/tcp, 7946/tcp, 7946/udp and 4789/udp, which nobody but those "
                    + "nodes needs to reach");
        }
    }

    private async Task<IEnumerable<string>> LabelProblemsAsync(CancellationToken cancellationToken)
    {
        var ids = (await AskAsync(cancellationToken, "node", "ls", "--quiet")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var nodes = (await AskAsync(
            cancellationToken,
            ["node", "inspect", "--format", $"{{{{.Description.Hostname}}}}\t{{{{index .Spec.Labels \"{SwarmTarget.DataLabel}\"}}}}", .. ids]))
            .Split('\n').Select(line => line.Split('\t')).ToList();
        var labelled = nodes.Where(node => node[^1] == "true").Select(node => node[0]).ToList();
        if (labelled.Count == 0 && ids is [var only])
        {
            await AskAsync(cancellationToken, "node", "update", "--label-add", $"{SwarmTarget.DataLabel}=true", only);
            LogLabelled(nodes[0][0]);
            return [];
        }

        return labelled.Count switch
        {
            0 =>
            [
                $"no node keeps the data: 'docker node update --label-add {SwarmTarget.DataLabel}=true NODE' for one of "
                + string.Join(", ", nodes.Select(node => node[0])),
            ],
            1 => [],
            _ =>
            [
                $"{string.Join(" and ", labelled)} have the label {SwarmTarget.DataLabel}: on the second one the database would begin empty. "
                + $"'docker node update --label-rm {SwarmTarget.DataLabel} NODE'",
            ],
        };
    }

    private IEnumerable<string> SettingProblems() =>
        from variable in SwarmTarget.OpenSettings(model)
        where Setting(variable) is null
        select $"{variable.Name} ({variable.Description}) has no value: write it into {SettingsFile}, or set it in the environment";

    // Nobody writes into the template.
    private string SettingsFile => RequiredSecrets.IsTemplate(uvlhub.Checkout.EnvironmentFile.Path)
        ? Path.Combine(uvlhub.Checkout.Path, uvlhub.Profile.EnvironmentFiles[0])
        : uvlhub.Checkout.EnvironmentFile.Path;

    private string? Setting(PublishedVariable variable) =>
        Environment.GetEnvironmentVariable(variable.Name) is { Length: > 0 } set ? set : OfFile(variable);

    private string? OfFile(PublishedVariable variable) =>
        uvlhub.Checkout.EnvironmentFile.Values.GetValueOrDefault(variable.Name) is { Length: > 0 } given
            && !SecretKeys.IsPlaceholder(given) && !(variable.IsSecret && RequiredSecrets.IsTemplate(uvlhub.Checkout.EnvironmentFile.Path))
            ? given
            : null;

    // The key of sessions is nobody's to remember.
    private string? Given(PublishedVariable secret) => OfFile(secret)
        ?? (secret.Name == SecretKeys.SecretKey || (uvlhub.Options.Secrets == SecretSource.Generated && CanBeMadeUp(secret))
            ? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))
            : null);

    private bool CanBeMadeUp(PublishedVariable secret) => !SecretKeys.IsForBackups(secret.Name, uvlhub.Options.Backups.Repository);

    private async Task MakeSecretAsync(string name, string value, CancellationToken cancellationToken)
    {
        // By standard input: a command line is everybody's to read.
        var made = await Cli.Wrap(uvlhub.Engine.Executable).WithArguments(["secret", "create", name, "-"])
            .WithStandardInputPipe(PipeSource.FromString(value)).WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(cancellationToken);
        if (!made.IsSuccess)
        {
            throw new DistributedApplicationException($"the secret {name} could not be made: {made.StandardError.Trim()}");
        }
    }

    private async Task DeployAsync(string file, CancellationToken cancellationToken, params string[] options)
    {
        var settings = SwarmTarget.OpenSettings(model).ToDictionary(variable => variable.Name, variable => Setting(variable)!);
        if (string.IsNullOrEmpty(uvlhub.Options.Publish.Registry))
        {
            settings[ComposeSyntax.VersionVariable] = await NameByContentAsync(cancellationToken);
        }

        var deployed = await uvlhub.Engine.RunAsync(
            s_deployed, settings, cancellationToken,
            ["stack", "deploy", "--with-registry-auth", .. options, "--compose-file", Path.Combine(folder, file), model.Name]);
        if (!deployed.Succeeded)
        {
            throw new DistributedApplicationException($"docker stack deploy {model.Name}: {deployed.Error}");
        }
    }

    // A registry tells a swarm when a name stands for another image; without one the swarm would keep the container that it has.
    private async Task<string> NameByContentAsync(CancellationToken cancellationToken)
    {
        List<string> images = [.. model.Services.Select(service => service.Image).Where(image => image.IsSite).Select(image => image.Name).Distinct()];
        var contents = await AskAsync(
            cancellationToken, ["image", "inspect", "--format", "{{.Id}}", .. images.Select(image => $"{image}:{model.Version}")]);
        var version = $"{model.Version}-{Names.Digest(contents, 8)}";
        foreach (var image in images)
        {
            await AskAsync(cancellationToken, "tag", $"{image}:{model.Version}", $"{image}:{version}");
        }

        return version;
    }

    private static string Target => Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } host ? host : "this engine";

    private Task<string> AskAsync(CancellationToken cancellationToken, params string[] words) => _stack.AskAsync(cancellationToken, words);

    [LoggerMessage(EventId = 840, Level = LogLevel.Information, Message = "{Node}, the only node, keeps the data from now on")]
    private partial void LogLabelled(string node);

    [LoggerMessage(EventId = 841, Level = LogLevel.Information, Message = "Made the secret {Name}")]
    private partial void LogSecretMade(string name);

    [LoggerMessage(EventId = 842, Level = LogLevel.Information, Message = "Everything runs: {Changes}")]
    private partial void LogUpdated(string changes);
}
