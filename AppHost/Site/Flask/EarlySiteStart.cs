using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// Has the site's container made together with all the others, instead of after the migrator's end: it imports meanwhile what does not
/// depend on the schema, and waits for that itself (the start-up folder's <c>uvlhub_start.py</c>). Only that the migrator has failed it
/// cannot know, so the container is taken away then, and the site is as if it had never been started.
/// </summary>
internal sealed class EarlySiteStart(ResourceNotificationService notifications, UvlhubEnvironment uvlhub)
    : IDistributedApplicationEventingSubscriber
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            // After the others, who look at what waits for what.
            eventing.Subscribe<BeforeStartEvent>((start, ending) =>
            {
                if (FlaskResource.SiteOf(start.Model.Resources) is { } site
                    && site.Annotations.OfType<WaitAnnotation>().FirstOrDefault(wait => wait.WaitType == WaitType.WaitForCompletion)
                        is { Resource: var migrator } wait)
                {
                    site.Annotations.Remove(wait);
                    eventing.Subscribe<BeforeResourceStartedEvent>(site, (_, _) =>
                        notifications.TryGetCurrentState(migrator.Name, out var state) && HasFailed(state)
                            ? throw new DistributedApplicationException($"{migrator.Name} has failed, and its log says why")
                            : Task.CompletedTask);
                    _ = EndWithAsync(site, migrator, ending);
                }

                return Task.CompletedTask;
            });
        }

        return Task.CompletedTask;
    }

    private static bool HasFailed(ResourceEvent migrator) =>
        migrator.Snapshot is { ExitCode: not null and not 0 } || StateOf(migrator) == KnownResourceStates.FailedToStart;

    private static string? StateOf(ResourceEvent change) => change.Snapshot.State?.Text;

    // With its first end: a site that has been let in outlives what is tried later.
    private async Task EndWithAsync(FlaskResource site, IResource migrator, CancellationToken ending)
    {
        try
        {
            var ended = await notifications.WaitForResourceAsync(
                migrator.Name, change => change.Snapshot.ExitCode is not null || HasFailed(change), ending);
            if (!HasFailed(ended))
            {
                return;
            }

            // One that is just being made is let be until it is.
            await notifications.WaitForResourceAsync(
                site.Name, change => StateOf(change) == KnownResourceStates.Running || IsOver(change), ending);
            await uvlhub.Engine.RunAsync(s_limit, ending, "container", "rm", "--force", uvlhub.Names.WebContainer);
            var over = await notifications.WaitForResourceAsync(site.Name, IsOver, ending);
            await notifications.PublishUpdateAsync(site, over.ResourceId, snapshot => snapshot with
            {
                State = new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error),
            });
        }
        catch (OperationCanceledException)
        {
            // The application ends.
        }
    }

    private static bool IsOver(ResourceEvent site) =>
        StateOf(site) is { } state && (KnownResourceStates.TerminalStates.Contains(state) || state == KnownResourceStates.RuntimeUnhealthy);
}
