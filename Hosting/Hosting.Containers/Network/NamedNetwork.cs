using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Gives the containers a second network with a name of the application's choice. Aspire puts them on one of its own, named at random and
/// gone with the run; it cannot be named, and custom networks are not supported. With the second one
/// <c>docker network ls</c> shows what the tutorial says, and <c>docker run --network uvlhub_network …</c> reaches every
/// service by its name.
/// </summary>
internal sealed partial class NamedNetwork(ContainerEngine engine, NetworkName name, ILoggerFactory loggers)
    : IDistributedApplicationEventingSubscriber, IHostedService
{
    // Whoever made a network by hand, for several projects perhaps, keeps it.
    private const string Label = "uvlhub-aspire.network";

    // The engine's API since version 25: before that, a container could be created on one network only.
    private static readonly Version s_severalNetworks = new(1, 44);
    // Compose takes no network of that name without it, not even one that is left over.
    private const string ComposeLabel = "com.docker.compose.network";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire.Network");
    private string? _ours;

    /// <inheritdoc/>
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            // Asked here already, while other checks ask the engine other things; made only once they have passed.
            var support = SupportAsync(cancellationToken);
            var existing = FindAsync(cancellationToken);
            eventing.Subscribe<BeforeStartEvent>((start, ct) => JoinAsync(start.Model, support, existing, ct));
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Removes the network if this run, or one that was killed, has made it and nobody is on it any more.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_ours is { } id)
        {
            // Also where the containers' end has taken all the time that the host gives to its own. A container that compose has
            // stopped is on the network, too, and would not start again without it.
            for (var attempt = 0; attempt < 20; attempt++)
            {
                var users = await engine.RunAsync(
                    s_limit, CancellationToken.None, "container", "ls", "--all", "--quiet", "--filter", $"network={id}");
                if (users is { Succeeded: true, Output: "" })
                {
                    await engine.RunAsync(s_limit, CancellationToken.None, "network", "rm", id);
                    return;
                }

                await Task.Delay(TimeSpan.FromSeconds(0.25), CancellationToken.None);
            }
        }
    }

    /// <summary>The option that puts a container on a network under all its names.</summary>
    /// <param name="container">The container.</param>
    /// <param name="id">The network's id. Not its name: the engine's command line changes that to lower case.</param>
    internal static string Option(ContainerResource container, string id) => string.Join(',',
    [
        $"name={id}",
        .. container.Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias).Prepend(container.Name).Distinct()
            .Select(alias => $"alias={alias}"),
    ]);

    private async Task JoinAsync(
        DistributedApplicationModel model, Task<bool> support, Task<string?> existing, CancellationToken cancellationToken)
    {
        if (!await support)
        {
            LogWithout(name.Value, "the engine is older than Docker 25");
            return;
        }

        if ((await existing ?? await CreateAsync(cancellationToken)) is not { } id)
        {
            return;
        }

        foreach (var container in model.Resources.OfType<ContainerResource>())
        {
            container.Annotations.Add(new ContainerRuntimeArgsCallbackAnnotation(arguments =>
            {
                arguments.Add("--network");
                arguments.Add(Option(container, id));
            }));
        }
    }

    private async Task<bool> SupportAsync(CancellationToken cancellationToken)
    {
        // Both sides: the command line takes the option several times since the same version.
        var versions = await engine.RunAsync(
            s_limit, cancellationToken, "version", "--format", "{{.Client.APIVersion}} {{.Server.APIVersion}}");
        return versions.Succeeded
            && versions.Output.Split(' ').All(version => Version.TryParse(version, out var api) && api >= s_severalNetworks);
    }

    private async Task<string?> FindAsync(CancellationToken cancellationToken)
    {
        var (found, _) = await engine.InspectAsync("network", name.Value, cancellationToken);
        _ours = found?.Label(Label) is null ? null : found.Id;
        return found?.Id;
    }

    private async Task<string?> CreateAsync(CancellationToken cancellationToken)
    {
        var created = await engine.RunAsync(
            s_limit, cancellationToken, "network", "create", "--label", $"{Label}={name.Value}", "--label",
            $"{ComposeLabel}={name.InCompose ?? name.Value}", name.Value);
        if (created.Succeeded)
        {
            return _ours = created.Output;
        }

        LogWithout(name.Value, created.Error);
        return null;
    }

    [LoggerMessage(EventId = 610, Level = LogLevel.Warning, Message = "There is no network {Network}: {Reason}. The services reach each "
        + "other as always, on Aspire's network")]
    private partial void LogWithout(string network, string reason);
}

/// <summary>What the network is called on the engine.</summary>
/// <param name="Value">The name.</param>
/// <param name="InCompose">What a compose file that declares it calls it, if that is something else.</param>
public sealed record NetworkName(string Value, string? InCompose = null);
