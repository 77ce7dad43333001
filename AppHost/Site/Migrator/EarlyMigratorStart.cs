using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;

namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// Starts the migrator's process together with the containers that it needs, instead of after them: it waits for MariaDB
/// itself, and is at the door when MariaDB opens it. Where an image has to be pulled or built first, which may take longer
/// than the migrator waits, it stays behind them.
/// </summary>
internal sealed class EarlyMigratorStart : IDistributedApplicationEventingSubscriber
{
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            // After the ImageResolver, which is subscribed first.
            eventing.Subscribe<BeforeStartEvent>((start, _) =>
            {
                foreach (var migrator in start.Model.Resources.OfType<MigratorResource>())
                {
                    LetStartEarly(migrator);
                }

                return Task.CompletedTask;
            });
        }

        return Task.CompletedTask;
    }

    private static void LetStartEarly(MigratorResource migrator)
    {
        var waits = migrator.Annotations.OfType<WaitAnnotation>().Where(wait => wait.WaitType == WaitType.WaitUntilStarted).ToList();
        if (waits.All(wait => wait.Resource.HasAnnotationOfType<ImageIsHere>()))
        {
            waits.ForEach(wait => migrator.Annotations.Remove(wait));
        }
    }
}
