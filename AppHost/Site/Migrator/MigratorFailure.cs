using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// Says on the console why the site does not start. The cause stands in the migrator's log, and who has no dashboard
/// open would wait for a site that never comes.
/// </summary>
internal static partial class MigratorFailure
{
    private const string Cause = "error: ";
    private const int MostLines = 15;
    private static readonly TimeSpan s_readingLimit = TimeSpan.FromSeconds(10);

    /// <summary>Repeats the migrator's last words on the console if it fails.</summary>
    /// <typeparam name="T">A program on the host, or a container.</typeparam>
    public static IResourceBuilder<T> WithFailureOnConsole<T>(this IResourceBuilder<T> builder)
        where T : IResource
    {
        var said = new SaidAnnotation();
        builder.WithAnnotation(said);
        builder.ApplicationBuilder.Eventing.Subscribe<ResourceStoppedEvent>(builder.Resource, async (stopped, cancellationToken) =>
        {
            if (stopped.ResourceEvent.Snapshot.ExitCode is { } exitCode and not 0)
            {
                var lines = await ResourceLines.ReadAsync(
                    stopped.Services.GetRequiredService<ResourceLoggerService>(), stopped.ResourceEvent.ResourceId, cancellationToken);
                Failed(
                    stopped.Services.GetRequiredService<ILoggerFactory>().CreateLogger("UvlhubAspire.Migrator"), exitCode,
                    string.Join(Environment.NewLine, LastWords(lines)));
                said.Once.TrySetResult();
            }
        });
        return builder;
    }

    /// <summary>
    /// Waits until the words of a migrator that has failed are on the console: the orchestrator tells the site of that failure before its
    /// log has been read.
    /// </summary>
    public static async Task SaidAsync(
        IEnumerable<IResource> resources, ResourceNotificationService notifications, CancellationToken cancellationToken)
    {
        foreach (var resource in resources)
        {
            if (resource.Annotations.OfType<SaidAnnotation>().SingleOrDefault() is { } said
                && notifications.TryGetCurrentState(resource.Name, out var state) && state.Snapshot.ExitCode is not (null or 0))
            {
                await Task.WhenAny(said.Once.Task, Task.Delay(s_readingLimit, cancellationToken));
            }
        }
    }

    // The cause and the ways out of it are the last that it prints.
    private static IEnumerable<string> LastWords(List<string> lines) =>
        lines.Skip(Math.Max(lines.FindIndex(line => line.Contains(Cause, StringComparison.Ordinal)), lines.Count - MostLines));

    [LoggerMessage(EventId = 320, Level = LogLevel.Error, Message = "The migrator has failed (exit code {ExitCode}), so the site does not "
        + "start. When the cause is gone, start the AppHost again. Its last words:\n{Lines}")]
    private static partial void Failed(ILogger logger, int exitCode, string lines);

    private sealed class SaidAnnotation : IResourceAnnotation
    {
        public TaskCompletionSource Once { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
