using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Gives every container the proxies, and those that run a checkout's code pip's index, that this machine is told of. What a container has
/// already stays. Nothing of it is published.
/// </summary>
public sealed partial class NetworkVariables(ILoggerFactory loggers) : IDistributedApplicationEventingSubscriber
{
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire.Network");

    /// <inheritdoc/>
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext executionContext,
        CancellationToken cancellationToken)
    {
        if (executionContext.IsRunMode)
        {
            eventing.Subscribe<BeforeStartEvent>((start, _) =>
            {
                foreach (var setting in ProxySettings.Current.OutOfReach.Concat(PipSettings.Current.OutOfReach))
                {
                    LogOutOfReach(setting);
                }

                List<ContainerResource> containers = [.. start.Model.Resources.OfType<ContainerResource>()];
                var proxies = ProxySettings.Current.ForContainers(containers.SelectMany(container => container.HostNames()));
                foreach (var container in containers)
                {
                    var runsCheckout = container.Annotations.OfType<ContainerImage>().Any(image => image.CheckoutBuild is not null);
                    Add(container, runsCheckout ? proxies.Concat(PipSettings.Current.Variables) : proxies);
                }

                return Task.CompletedTask;
            });
        }

        return Task.CompletedTask;
    }

    private static void Add(ContainerResource container, IEnumerable<KeyValuePair<string, string>> variables) =>
        container.Annotations.Add(new EnvironmentCallbackAnnotation(context =>
        {
            foreach (var (name, value) in variables)
            {
                context.EnvironmentVariables.TryAdd(name, value);
            }
        }));

    [LoggerMessage(EventId = 320, Level = LogLevel.Warning, Message = "Builds and containers do without {Setting}: on that address each "
        + "of them finds itself. Let it listen on the engine's bridge as well (172.17.0.1, or what 'docker network inspect bridge' "
        + "says), and name that address")]
    private partial void LogOutOfReach(string setting);
}
