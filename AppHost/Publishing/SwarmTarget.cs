using System.Globalization;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>
/// A Docker Swarm stack: replicas that are replaced one after the other and rolled back when they are not healthy, secrets
/// in the swarm's own store, and the data on the nodes that are marked for it. Names are looked up by DNS instead of by
/// virtual addresses: nginx then sees the replicas themselves, and a kernel without IPVS will do.
/// </summary>
internal sealed class SwarmTarget : IPublishTarget
{
    /// <summary>The label of the one node that keeps the data.</summary>
    public const string DataLabel = "uvlhub.data";

    /// <summary>The target's name.</summary>
    public const string Id = "swarm";

    /// <summary>The whole stack.</summary>
    public const string StackFile = "stack.yml";

    /// <summary>The database and the migrator of it.</summary>
    public const string MigrationFile = "migrate.yml";

    private const string SiteLabel = "WEB_LABEL";

    private const int LargestConfig = 500 * 1024;

    // What a stack has under the same key as a compose file, and in another place. It passes over everything else without a word.
    private static readonly string[] s_sameKeys =
    [
        "cap_add", "cap_drop", "dns", "dns_search", "extra_hosts", "hostname", "labels", "read_only", "stdin_open", "stop_grace_period",
        "stop_signal", "sysctls", "tty", EngineOptionKeys.Limits, "user", "working_dir",
    ];

    private static readonly Dictionary<string, (string Group, string Key)> s_resources = new(StringComparer.Ordinal)
    {
        ["cpus"] = ("limits", "cpus"),
        ["mem_limit"] = ("limits", "memory"),
        ["pids_limit"] = ("limits", "pids"),
        ["mem_reservation"] = ("reservations", "memory"),
    };

    public string Name => Id;

    public string Description => "Writes a Docker Swarm stack, and the template of its settings, for several servers.";

    public IEnumerable<OutputFile> Write(PublishedModel model)
    {
        var secrets = SecretsOf(model.Services, readFromFiles: true);
        yield return OutputFile.Text(StackFile, $"""
            # Written by UvlhubAspire from the model in AppHost.cs; change that and publish again. 'dotnet aspire deploy' does what follows
            # and looks after it; by hand, on a manager:
            #   docker node update --label-add {DataLabel}=true NODE        # the one node that keeps the data
            {string.Concat(Lacks(model).Select(line => $"# {line}\n"))}{string.Join('\n', secrets.Select(secret => $"#   docker secret create {SecretName(model, secret)} FILE        # {secret.Description}"))}
            #   cp settings.env.template settings.env                       # then fill it in
            #   set -a; . ./settings.env; set +a
            #   docker stack deploy --with-registry-auth --compose-file {StackFile} {model.Name}
            # The same with another VERSION migrates, and replaces one container after the other.
            {Yaml.Write(Stack(model, model.Services))}
            """);
        yield return OutputFile.Text(MigrationFile, $"""
            # Of {StackFile} what has to have happened before the rest is updated: the database and the migrator.
            {Yaml.Write(Stack(model, [.. model.Services.Where(service => service.Kind is PublishedKind.Database or PublishedKind.Job)]))}
            """);
        yield return OutputFile.Text("settings.env.template", EnvironmentFile.Write(
            $"Settings of the stack {model.Name}. Copy this file to settings.env and fill in what is empty; it is read by the shell. "
            + "Secrets are none of them, but for those of images that read none from a file.",
            OpenSettings(model),
            [
                (ComposeSyntax.VersionVariable, model.Version, "the version of the site"),
                ("WEB_REPLICAS", "2", "how many containers serve the site; each has several workers"),
                .. model.SharedVolumes.Select(volume => (volume.ToUpperInvariant(), volume,
                    $"where {volume} are kept: a volume of this name, which belongs to one node, or a folder that all nodes of "
                    + $"{SiteLabel} have in common, such as /mnt/{volume}")),
                (SiteLabel, DataLabel, $"the label of the nodes that run the site; another one than {DataLabel} needs such a folder"),
                .. ComposeSyntax.PortSettings(model, "each node that runs nginx"),
            ]));
        foreach (var file in model.Services.SelectMany(service => service.Files).DistinctBy(file => file.Path))
        {
            yield return OutputFile.WithDynamicNames(file);
        }
    }

    public IEnumerable<string> Lacks(PublishedModel model) =>
    [
        .. from service in model.Services
           from option in service.Options
           where !s_sameKeys.Contains(option.Key) && !s_resources.ContainsKey(option.Key)
               // The start script of these sees to it.
               && !(service.Image.IsSite && option.Key == "security_opt")
           select $"{service.Name}: a stack has no word for {option}",
        .. from service in model.Services
           where !service.ReadsSecretFiles
           from secret in Secrets(service)
           select $"{service.Name}: {secret.Name} stands in the service's definition, because its image reads no secret from a file",
    ];

    private static YamlMap Stack(PublishedModel model, IReadOnlyList<PublishedService> services)
    {
        var files = services.SelectMany(service => service.Files).DistinctBy(file => file.Path).ToList();
        var volumes = PublishedModel.NamesOf(services);
        return new YamlMap()
            .With("services", YamlMap.Of(services, service => service.Name, service => Service(model, service)))
            .With("volumes", YamlMap.Of(volumes, volume => volume, _ => new YamlMap()))
            .With("configs", YamlMap.Of(files, ConfigKey, file => new YamlMap()
                // The swarm never changes a config, so a changed file is another one.
                .With("name", $"{model.Name}_{ConfigKey(file)}_{Digest(file)}")
                .With("file", $"./{Small(file).Path}")))
            .With("secrets", YamlMap.Of(SecretsOf(services, readFromFiles: true), SecretKey, secret => new YamlMap()
                .With("name", SecretName(model, secret))
                .With("external", true)))
            .With("networks", new YamlMap().With(ComposeSyntax.Network, new YamlMap().With("driver", "overlay").With("attachable", true)));
    }

    private static YamlMap Service(PublishedModel model, PublishedService service) => ComposeSyntax
        .Service(model, service, startPeriod: "120s")
        .With("environment", Environment(service))
        .WithOptions(service.Options.Where(option => s_sameKeys.Contains(option.Key)))
        .With("secrets", service.ReadsSecretFiles ? Secrets(service).Select(SecretKey).ToList() : null)
        .With("volumes", service.Volumes.Select(volume => Mount(model, volume)).ToList())
        .With(
            "configs",
            service.Files.Select(file => (object)new YamlMap().With("source", ConfigKey(file)).With("target", file.Target)).ToList())
        // The node's own port, so that nginx knows who asks.
        .With("ports", ComposeSyntax.Ports(
            service, (port, host) => new YamlMap().With("target", port).With("published", host).With("mode", "host")))
        .With("deploy", Deploy(model, service));

    private static YamlMap Deploy(PublishedModel model, PublishedService service)
    {
        var deploy = new YamlMap();
        if (service.Kind == PublishedKind.Job)
        {
            deploy
                .With("mode", "replicated-job")
                .With("restart_policy", new YamlMap().With("condition", "on-failure").With("delay", "5s").With("max_attempts", 3));
        }
        else
        {
            deploy
                // Every node that can run nginx does, so that the site answers on each of them.
                .With("mode", service.Kind == PublishedKind.Gateway ? "global" : null)
                .With("endpoint_mode", "dnsrr")
                .With(
                    "replicas",
                    service.Kind switch { PublishedKind.Replicated => "${WEB_REPLICAS:-2}", PublishedKind.Gateway => null, _ => (object)1 })
                .With("restart_policy", new YamlMap().With("condition", "any").With("delay", "2s"))
                .With("update_config", Change(service).With("failure_action", "rollback"))
                .With("rollback_config", Change(service));
        }

        deploy.With("resources", Resources(service));

        // A volume belongs to one node; whoever mounts it has to be there, unless it is a folder that several have in common.
        var label = service.Volumes.All(volume => model.SharedVolumes.Contains(volume.Name)) ? $"${{{SiteLabel}:-{DataLabel}}}" : DataLabel;
        return deploy.With("placement", service.Volumes.Count == 0 ? null
            : new YamlMap().With("constraints", new List<string> { $"node.labels.{label} == true" }));
    }

    private static YamlMap Resources(PublishedService service)
    {
        var resources = new YamlMap();
        foreach (var group in service.Options.Where(option => s_resources.ContainsKey(option.Key))
            .GroupBy(option => s_resources[option.Key].Group))
        {
            resources.Add(group.Key, YamlMap.Of(
                group, option => s_resources[option.Key].Key,
                option => option.Key == "pids_limit" ? long.Parse(option.Value, CultureInfo.InvariantCulture) : option.Value));
        }

        return resources;
    }

    // A name is a volume, and a path a folder of the node.
    private static string Mount(PublishedModel model, PublishedVolume volume) =>
        (
            model.SharedVolumes.Contains(volume.Name)
            ? volume with { Name = $"${{{volume.Name.ToUpperInvariant()}:-{volume.Name}}}" }
            : volume).ToString();

    private static YamlMap Change(PublishedService service) => new YamlMap()
        .With("parallelism", 1)
        .With("delay", "2s")
        .With("monitor", "10s")
        // Two databases on one volume, or two owners of one port, cannot be.
        .With("order", service.Kind == PublishedKind.Replicated ? "start-first" : "stop-first");

    private static YamlMap Environment(PublishedService service)
    {
        var environment = new YamlMap();
        foreach (var (key, value) in service.Environment)
        {
            if (service.ReadsSecretFiles && value.Variables.Any(variable => variable.IsSecret))
            {
                var secret = value.Variable
                    ?? throw new DistributedApplicationException(
                        $"{service.Name}: {key} has a secret inside other text, which a swarm cannot give it");
                environment.Add($"{key}_FILE", $"/run/secrets/{SecretKey(secret)}");
            }
            else
            {
                environment.Add(key, ComposeSyntax.Value(value, "settings.env"));
            }
        }

        return environment;
    }

    /// <summary>The variables of <c>settings.env</c> that need a value.</summary>
    public static IEnumerable<PublishedVariable> OpenSettings(PublishedModel model)
    {
        var shown = SecretsOf(model.Services, readFromFiles: false);
        return model.Variables.Where(variable => !variable.IsSecret || shown.Contains(variable));
    }

    /// <summary>The secrets of services that read them from files, or of those that do not.</summary>
    public static List<PublishedVariable> SecretsOf(IEnumerable<PublishedService> services, bool readFromFiles) =>
        [.. services.Where(service => service.ReadsSecretFiles == readFromFiles).SelectMany(Secrets).Distinct()];

    private static IEnumerable<PublishedVariable> Secrets(PublishedService service) =>
        service.Environment.Values.SelectMany(value => value.Variables).Where(variable => variable.IsSecret).Distinct();

    private static string SecretKey(PublishedVariable secret) => secret.Name.ToLowerInvariant();

    /// <summary>What a secret is called in the swarm.</summary>
    public static string SecretName(PublishedModel model, PublishedVariable secret) => $"{model.Name}_{SecretKey(secret)}";

    private static PublishedFile Small(PublishedFile file) => file.Content.Length <= LargestConfig ? file
        : throw new DistributedApplicationException(
            $"{file.Path} has {file.Content.Length / 1024} KB, and a swarm takes files of {LargestConfig / 1024} KB at most: serve it from an "
            + "image, or make it smaller");

    private static string ConfigKey(PublishedFile file) => Names.Clean(file.Path, '_');

    private static string Digest(PublishedFile file) => Names.Digest(OutputFile.WithDynamicNames(file).Content.Span, 8);
}
