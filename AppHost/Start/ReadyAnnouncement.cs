using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Site;

namespace UvlhubAspire.AppHost.Start;

/// <summary>Says on the console when the site can be used, where, and what its image lacks: not before it is healthy.</summary>
internal sealed partial class ReadyAnnouncement(ILoggerFactory loggers, UvlhubCheckout checkout)
    : IDistributedApplicationEventingSubscriber
{
    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire");

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
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

                foreach (var (key, value) in checkout.EnvironmentFile.Values.Where(variable => SecretKeys.IsWorkflows(variable.Value)))
                {
                    LogWorkflows(checkout.EnvironmentFile.Path, checkout.EnvironmentFile.LineOf(key), key, value);
                }

                foreach (var site in start.Model.Resources.OfType<FlaskResource>().Where(flask => flask.IsSite))
                {
                    AddAddressCommand(site);
                }

                return Task.CompletedTask;
            });
            eventing.Subscribe<ResourceReadyEvent>((ready, ct) =>
            {
                if (ready.Resource is FlaskResource { IsSite: true } site)
                {
                    // Not awaited: others wait for this event, and not for the lines.
                    _ = TellAsync(site, ready.Services, ct);
                }

                return Task.CompletedTask;
            });
        }

        return Task.CompletedTask;
    }

    // For scripts: './run --detach' prints what it says.
    private static void AddAddressCommand(FlaskResource site) => site.Annotations.Add(new ResourceCommandAnnotation(
        "address", "Address", _ => ResourceCommandState.Enabled,
        _ => Task.FromResult(CommandArguments.Answer(
            "The site's address",
            site.TryGetLastAnnotation<PublicAddressAnnotation>(out var people) ? people.Address() : site.HttpEndpoint.Url)),
        "Where people open the site.", arguments: null, confirmationMessage: null, iconName: null, iconVariant: null,
        isHighlighted: false, ResourceCommandVisibility.Api));

    private async Task TellAsync(FlaskResource site, IServiceProvider services, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(
                AnnounceAsync(site, services, cancellationToken),
                MissingRequirements.WarnAsync(site, checkout, services, cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application ends.
        }
        catch (Exception exception)
        {
            LogNotTold(exception);
        }
    }

    private async Task AnnounceAsync(FlaskResource site, IServiceProvider services, CancellationToken cancellationToken)
    {
        // Aspire prints the dashboard's address when that starts, long before the site can be used.
        var dashboard = await DashboardAddresses.LoginUrlAsync(services, cancellationToken) ?? "disabled";
        if (!site.TryGetLastAnnotation<PublicAddressAnnotation>(out var people))
        {
            LogReady(site.HttpEndpoint.Url, dashboard);
        }
        else if (await people.LeadsToSiteAsync(cancellationToken))
        {
            LogReady(people.Address(), dashboard);
        }
        else
        {
            LogNotReachable(people.Address(), site.HttpEndpoint.Url, people.Logs, dashboard);
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Checkout {Checkout}, settings from {EnvironmentFile}")]
    private partial void LogCheckout(string checkout, string environmentFile);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "{Key} stands more than once in {EnvironmentFile}; the last one, in "
        + "line {Line}, counts")]
    private partial void LogRepeatedKey(string key, string environmentFile, int? line);

    [LoggerMessage(EventId = 6, Level = LogLevel.Warning, Message = "{EnvironmentFile}:{Line}: {Key} is {Value}, which only a workflow "
        + "of GitHub's can fill in, so nobody is given it. Write its value there, or delete the line")]
    private partial void LogWorkflows(string environmentFile, int? line, string key, string value);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "uvlhub is ready at {Site} — dashboard: {Dashboard}")]
    private partial void LogReady(string site, string dashboard);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "uvlhub serves at {Site}, but nginx, which stands before it at "
        + "{Address}, does not lead there; {Logs} why — dashboard: {Dashboard}")]
    private partial void LogNotReachable(string address, string site, string logs, string dashboard);

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "uvlhub is ready, but not all that belongs to it could be told")]
    private partial void LogNotTold(Exception exception);
}
