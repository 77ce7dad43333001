using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// Has the site's container made together with all the others, instead of after the migrator's end: it imports meanwhile what does not
/// depend on the schema, and waits for that itself (the start-up folder's <c>uvlhub_start.py</c>). Only that the migrator has failed it
/// cannot know, so the container is taken away then, and the site is as if it had never been started.
/// </summary>
/// <param name="notifications">Tells how the migrator ends.</param>
/// <param name="commands">Ends the site.</param>
/// <param name="uvlhub">The checkout and the settings.</param>
internal sealed class EarlySiteStart(
    ResourceNotificationService notifications, ResourceCommandService commands, UvlhubEnvironment uvlhub)
    : IDistributedApplicationEventingSubscriber
{
    private static volatile bool s_isTakingAway;

    /// <summary>Whether the console shows what the orchestrator says.</summary>
    public static bool Shows(LogLevel level) => level >= LogLevel.Warning && !s_isTakingAway;

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
                    site.Annotations.Add(new MigratorAnnotation(migrator));
                    // Code that is mounted goes on while its container runs, and so do its revisions.
                    Hold(site, uvlhub.Images is null ? "--wait-for-schema-once" : "--wait-for-schema");
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

    /// <summary>
    /// Whether the migrator has been successful since the AppHost began. The database may have been as it should be from the start, so
    /// that a site serves before the migrator has looked, which may yet fail.
    /// </summary>
    public static bool HasMigrated(FlaskResource site, ResourceNotificationService notifications) =>
        site.Annotations.OfType<MigratorAnnotation>().All(waited => waited.HasSucceeded |=
            notifications.TryGetCurrentState(waited.Migrator.Name, out var state) && state.Snapshot.ExitCode == 0);

    // Its command becomes the start script's, which runs it when it may.
    private static void Hold(FlaskResource site, string option)
    {
        List<string> words = [.. FlaskBuilderExtensions.StartupScript, option, "--"];
        if (site.Entrypoint is { } entrypoint)
        {
            site.Entrypoint = words[0];
            words = [.. words.Skip(1), entrypoint];
        }

        site.Annotations.Add(new CommandLineArgsCallbackAnnotation(arguments =>
        {
            foreach (var word in Enumerable.Reverse(words))
            {
                arguments.Insert(0, word);
            }
        }));
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
            var state = await notifications.WaitForResourceAsync(
                site.Name, [KnownResourceStates.Running, .. KnownResourceStates.TerminalStates], ending);
            if (state != KnownResourceStates.Running)
            {
                return;
            }

            await TakeAwayAsync(site, ending);
        }
        catch (OperationCanceledException)
        {
            // The application ends.
        }
    }

    private async Task TakeAwayAsync(FlaskResource site, CancellationToken ending)
    {
        // The orchestrator takes the container away and makes no other, because it is kept from that; it thinks that worth a stack
        // trace.
        s_isTakingAway = true;
        try
        {
            await commands.ExecuteCommandAsync(site, KnownResourceCommands.RestartCommand, ending);
        }
        finally
        {
            s_isTakingAway = false;
        }

        // That the container has ended is seen only after that, sometimes, and is not what became of the site.
        await foreach (var change in notifications.WatchAsync(ending))
        {
            if (change.Resource == site && StateOf(change) == KnownResourceStates.Running)
            {
                return;
            }

            if (change.Resource == site && StateOf(change) is { } state && state != KnownResourceStates.FailedToStart
                && KnownResourceStates.TerminalStates.Contains(state))
            {
                await notifications.PublishUpdateAsync(site, change.ResourceId, snapshot => snapshot with
                {
                    State = new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error),
                });
            }
        }
    }

    private sealed class MigratorAnnotation(IResource migrator) : IResourceAnnotation
    {
        public IResource Migrator { get; } = migrator;

        public bool HasSucceeded { get; set; }
    }
}
