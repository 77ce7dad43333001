using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Flask;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>Says on the console when the site can be used, and where: not before it is healthy.</summary>
internal sealed partial class ReadyAnnouncement(ILoggerFactory loggers, UvlhubCheckout checkout)
    : IDistributedApplicationEventingSubscriber
{
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire");

    /// <inheritdoc/>
    public Task SubscribeAsync(IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            eventing.Subscribe<BeforeStartEvent>((start, _) =>
            {
                LogCheckout(checkout.Path, checkout.EnvironmentFile.Path);
                foreach (var key in checkout.EnvironmentFile.Repeated)
                {
                    LogRepeatedKey(key, checkout.EnvironmentFile.Path, checkout.EnvironmentFile.LineOf(key));
                }

                return Task.CompletedTask;
            });
            eventing.Subscribe<ResourceReadyEvent>(async (ready, ct) =>
            {
                if (ready.Resource is FlaskResource { IsSite: true } site)
                {
                    // Aspire prints the dashboard's address when that starts, long before the site can be used.
                    LogReady(site.HttpEndpoint.Url, await DashboardAddresses.LoginUrlAsync(ready.Services, ct) ?? "disabled");
                }
            });
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Checkout {Checkout}, settings from {EnvironmentFile}")]
    private partial void LogCheckout(string checkout, string environmentFile);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Key} stands more than once in {EnvironmentFile}; the last one, in line {Line}, counts")]
    private partial void LogRepeatedKey(string key, string environmentFile, int? line);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "uvlhub is ready at {Site} — dashboard: {Dashboard}")]
    private partial void LogReady(string site, string dashboard);
}
