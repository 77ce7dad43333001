using Microsoft.Extensions.Hosting;

namespace UvlhubAspire.AppHost.Production;

/// <summary>Asks the registry from time to time whether it has another image, and deploys that: compose's watchtower.</summary>
/// <param name="deployer">Deploys.</param>
/// <param name="site">The site; nobody asks before it is up.</param>
/// <param name="every">The pause between two questions.</param>
/// <param name="notifications">Tells when the site is up.</param>
/// <param name="time">The clock.</param>
internal sealed class RegistryWatch(
    Deployer deployer, IResource site, TimeSpan every, ResourceNotificationService notifications, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await notifications.WaitForResourceHealthyAsync(site.Name, WaitBehavior.WaitOnResourceUnavailable, stoppingToken);
        while (true)
        {
            try
            {
                await deployer.DeployNewAsync(stoppingToken);
            }
            catch (DeploymentException)
            {
                // Told in the site's log; the next image may be a better one.
            }

            await Task.Delay(every, time, stoppingToken);
        }
    }
}
