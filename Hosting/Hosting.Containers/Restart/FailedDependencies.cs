using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Says of a resource that waits for one that has failed which one that is, its last words, and what to do. Aspire says
/// nothing then, and goes on waiting, so that starting the other one by hand is enough.
/// </summary>
internal sealed partial class FailedDependencies(
    ResourceNotificationService notifications, ResourceLoggerService resourceLoggers, ILoggerFactory loggers) : BackgroundService
{
    private const int LinesShown = 5;
    private readonly ILogger _console = loggers.CreateLogger("UvlhubAspire.Waiting");

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var changes = new Dictionary<IResource, ResourceEvent>();
        var told = new HashSet<WaitAnnotation>();
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            changes[change.Resource] = change;
            foreach (var waiting in changes.Keys)
            {
                // Who waits for the end of another one is told of its failure by Aspire.
                foreach (var wait in waiting.Annotations.OfType<WaitAnnotation>().Where(wait => wait.WaitType != WaitType.WaitForCompletion))
                {
                    if (changes[waiting].Snapshot.State?.Text != KnownResourceStates.Waiting
                        || !changes.TryGetValue(wait.Resource, out var failure) || !HasFailed(failure))
                    {
                        told.Remove(wait);
                    }
                    else if (told.Add(wait))
                    {
                        await TellAsync(waiting, failure, stoppingToken);
                    }
                }
            }
        }
    }

    // One that has ended and is started again by itself has not failed yet.
    private static bool HasFailed(ResourceEvent change) => change.Snapshot.State?.Text is { } state
        && (state == KnownResourceStates.FailedToStart
            || (state == KnownResourceStates.Exited && !change.Resource.HasAnnotationOfType<RestartPolicy>()));

    private async Task TellAsync(IResource resource, ResourceEvent failure, CancellationToken cancellationToken)
    {
        // Aspire adds its own stack trace to whatever keeps a container from being made.
        var lines = (await ResourceLines.ReadAsync(resourceLoggers, failure.ResourceId, cancellationToken))
            .SelectMany(text => text.Split('\n'))
            .Where(line => !line.StartsWith("   at ", StringComparison.Ordinal) && !line.StartsWith("--- End of ", StringComparison.Ordinal))
            .TakeLast(LinesShown);
        foreach (var logger in (ILogger[])[resourceLoggers.GetLogger(resource), _console])
        {
            LogWaitsInVain(
                logger, resource.Name, failure.Resource.Name, failure.Snapshot.State!.Text, string.Join(Environment.NewLine, lines));
        }
    }

    [LoggerMessage(EventId = 410, Level = LogLevel.Warning, Message = "{Resource} waits for {Failed}, which is {State}. When the cause is "
        + "gone, press Start in the dashboard or say 'aspire resource {Failed} start': {Resource} then goes on by itself. The last lines "
        + "of {Failed}:\n{Lines}")]
    private static partial void LogWaitsInVain(ILogger logger, string resource, string failed, string state, string lines);
}
