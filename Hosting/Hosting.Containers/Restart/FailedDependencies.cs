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
        var waiting = new HashSet<IResource>();
        var failed = new Dictionary<IResource, ResourceEvent>();
        var told = new HashSet<(IResource Waiting, IResource Failed)>();
        try
        {
            await foreach (var change in notifications.WatchAsync(stoppingToken))
            {
                var state = change.Snapshot.State?.Text;
                _ = state == KnownResourceStates.Waiting ? waiting.Add(change.Resource) : waiting.Remove(change.Resource);
                if (HasFailed(change.Resource, state))
                {
                    failed[change.Resource] = change;
                }
                else
                {
                    failed.Remove(change.Resource);
                }

                told.RemoveWhere(pair => !waiting.Contains(pair.Waiting) || !failed.ContainsKey(pair.Failed));
                foreach (var resource in waiting)
                {
                    foreach (var dependency in resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource))
                    {
                        if (failed.TryGetValue(dependency, out var failure) && told.Add((resource, dependency)))
                        {
                            await TellAsync(resource, failure, stoppingToken);
                        }
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The application ends.
        }
    }

    // One that has ended and is started again by itself has not failed yet.
    private static bool HasFailed(IResource resource, string? state) => state == KnownResourceStates.FailedToStart
        || (state == KnownResourceStates.Exited && !resource.HasAnnotationOfType<RestartPolicy>());

    // Aspire adds its own to whatever keeps a container from being made.
    private static IEnumerable<string> WithoutStackTrace(IEnumerable<string> lines) => lines.SelectMany(line => line.Split('\n'))
        .Where(line => line.Trim().Length > 0 && !line.StartsWith("   at ", StringComparison.Ordinal)
            && !line.StartsWith("--- End of ", StringComparison.Ordinal));

    private async Task TellAsync(IResource resource, ResourceEvent failure, CancellationToken cancellationToken)
    {
        var lines = await ResourceLines.ReadAsync(resourceLoggers, failure.ResourceId, cancellationToken);
        var words = string.Join(Environment.NewLine, WithoutStackTrace(lines).TakeLast(LinesShown).DefaultIfEmpty("(it has printed nothing)"));
        foreach (var logger in (ILogger[])[resourceLoggers.GetLogger(resource), _console])
        {
            LogWaitsInVain(logger, resource.Name, failure.Resource.Name, failure.Snapshot.State!.Text, words);
        }
    }

    [LoggerMessage(EventId = 410, Level = LogLevel.Warning, Message = "{Resource} waits for {Failed}, which is {State}. When the cause is "
        + "gone, press Start in the dashboard or say 'aspire resource {Failed} start': {Resource} then goes on by itself. The last lines "
        + "of {Failed}:\n{Lines}")]
    private static partial void LogWaitsInVain(ILogger logger, string resource, string failed, string state, string lines);
}
