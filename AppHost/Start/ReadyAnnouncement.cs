using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Site;

namespace UvlhubAspire.AppHost.Start;

/// <summary>
/// Says on the console when the site can be used, where, and what its image lacks: not before every address of it answers. And when
/// it will not come, to whom waits for that.
/// </summary>
internal sealed partial class ReadyAnnouncement(ILoggerFactory loggers, UvlhubCheckout checkout, IServiceProvider services)
    : IDistributedApplicationEventingSubscriber
{
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire");

    private StartReport? Report => services.GetService<StartReport>();

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            eventing.Subscribe<BeforeStartEvent>((start, ct) =>
            {
                if (Report is { } report)
                {
                    _ = ReportFailureAsync(report, start.Model.Resources, ct);
                }

                LogCheckout(checkout.Path, checkout.EnvironmentFile.Path);
                if (checkout.Profile is { Code: CodeSource.InImage, HasServices: true })
                {
                    LogRehearsal(checkout.Profile.Name);
                }

                foreach (var key in checkout.EnvironmentFile.Repeated)
                {
                    LogRepeatedKey(key, checkout.EnvironmentFile.Path, checkout.EnvironmentFile.LineOf(key));
                }

                foreach (var (key, value) in checkout.EnvironmentFile.Values.Where(variable => SecretKeys.IsWorkflows(variable.Value)))
                {
                    LogWorkflows(checkout.EnvironmentFile.Path, checkout.EnvironmentFile.LineOf(key), key, value);
                }

                return Task.CompletedTask;
            });
            eventing.Subscribe<ResourceReadyEvent>((ready, ct) =>
            {
                if (ready.Resource is FlaskResource { IsSite: true } site)
                {
                    // Not awaited: others wait for this event, and not for the lines.
                    _ = TellAsync(site, ct);
                }

                return Task.CompletedTask;
            });
        }

        return Task.CompletedTask;
    }

    private async Task TellAsync(FlaskResource site, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(
                AnnounceAsync(site, cancellationToken),
                MissingRequirements.WarnAsync(site, checkout, services, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application ends.
        }
        catch (Exception exception)
        {
            LogNotTold(exception);
            Report?.End(null);
        }
    }

    private async Task AnnounceAsync(FlaskResource site, CancellationToken cancellationToken)
    {
        // Aspire prints the dashboard's address when that starts, long before the site can be used.
        var dashboard = await DashboardAddresses.LoginUrlAsync(services, cancellationToken) ?? "disabled";
        var people = site.Annotations.OfType<PublicAddressAnnotation>().LastOrDefault();
        if (people is not null && await people.WaitForSiteAsync(cancellationToken) is { } problem)
        {
            LogNotReachable(people.Address(), problem, site.HttpEndpoint.Url, dashboard);
            Report?.End(null);
            return;
        }

        var address = people is { IsPeoples: true } ? people.Address() : site.HttpEndpoint.Url;
        Report?.End(address, dashboard);
        LogReady(address, dashboard);
    }

    // What keeps the site from starting has been said by whom it has befallen.
    private async Task ReportFailureAsync(
        StartReport report, IResourceCollection resources, CancellationToken cancellationToken)
    {
        var notifications = services.GetRequiredService<ResourceNotificationService>();
        try
        {
            var failed = notifications.WaitForResourceHealthyAsync(
                resources.OfType<FlaskResource>().Single(flask => flask.IsSite).Name, WaitBehavior.StopOnResourceUnavailable, cancellationToken);
            if (await Task.WhenAny(failed, services.GetRequiredService<SiteErrors>().Lasting) != failed)
            {
                report.End(null);
                return;
            }

            await failed;
        }
        catch (DistributedApplicationException)
        {
            await MigratorFailure.SaidAsync(resources, notifications, cancellationToken);
            report.End(null);
        }
        catch (OperationCanceledException)
        {
            // The application ends.
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Checkout {Checkout}, settings from {EnvironmentFile}")]
    private partial void LogCheckout(string checkout, string environmentFile);

    [LoggerMessage(EventId = 7, Level = LogLevel.Information, Message = "This rehearses {Environment}: it ends with the AppHost and has no "
        + "TLS. 'dotnet aspire deploy' brings the same to a server that keeps running (docs/production.md)")]
    private partial void LogRehearsal(string environment);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Key} stands more than once in {EnvironmentFile}; the last one, in "
        + "line {Line}, counts")]
    private partial void LogRepeatedKey(string key, string environmentFile, int? line);

    [LoggerMessage(EventId = 6, Level = LogLevel.Warning, Message = "{EnvironmentFile}:{Line}: {Key} is {Value}, which only a workflow "
        + "of GitHub's can fill in, so nobody is given it. Write its value there, or delete the line")]
    private partial void LogWorkflows(string environmentFile, int? line, string key, string value);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "uvlhub is ready at {Site} — dashboard: {Dashboard}")]
    private partial void LogReady(string site, string dashboard);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "uvlhub serves at {Site}, but nginx, which stands before it at "
        + "{Address}, does not lead there: it {Problem}; its log says why — dashboard: {Dashboard}")]
    private partial void LogNotReachable(string address, string problem, string site, string dashboard);

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "uvlhub is ready, but not all that belongs to it could be told")]
    private partial void LogNotTold(Exception exception);
}
