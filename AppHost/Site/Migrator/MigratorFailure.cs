using k8s.Autorest;
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

    /// <summary>Repeats the migrator's last words on the console if it fails.</summary>
    /// <typeparam name="T">A program on the host, or a container.</typeparam>
    public static IResourceBuilder<T> WithFailureOnConsole<T>(this IResourceBuilder<T> builder)
        where T : IResource
    {
        builder.ApplicationBuilder.Eventing.Subscribe<ResourceStoppedEvent>(builder.Resource, async (stopped, cancellationToken) =>
        {
            if (stopped.ResourceEvent.Snapshot.ExitCode is { } exitCode and not 0)
            {
                var lines = await LastWordsAsync(
                    stopped.Services.GetRequiredService<ResourceLoggerService>(), stopped.ResourceEvent.ResourceId, cancellationToken);
                Failed(
                    stopped.Services.GetRequiredService<ILoggerFactory>().CreateLogger("UvlhubAspire.Migrator"), exitCode,
                    string.Join(Environment.NewLine, lines));
            }
        });
        return builder;
    }

    // The cause and the ways out of it are the last that it prints.
    private static async Task<IReadOnlyList<string>> LastWordsAsync(
        ResourceLoggerService loggers, string resource, CancellationToken cancellationToken)
    {
        List<string> lines = [];
        try
        {
            await foreach (var batch in loggers.GetAllAsync(resource).WithCancellation(cancellationToken))
            {
                lines.AddRange(batch.Select(line => line.Content));
            }
        }
        catch (HttpOperationException)
        {
            // It is being started anew, and its log is gone. What is thrown at an event of Aspire's ends its watch over
            // every program: none of them would be seen to start or to end any more.
        }

        var cause = lines.FindIndex(line => line.Contains(Cause, StringComparison.Ordinal));
        return [.. lines.Skip(Math.Max(cause, lines.Count - MostLines))];
    }

    [LoggerMessage(EventId = 320, Level = LogLevel.Error, Message = "The migrator has failed (exit code {ExitCode}), so the site does not "
        + "start. When the cause is gone, start the AppHost again. Its last words:\n{Lines}")]
    private static partial void Failed(ILogger logger, int exitCode, string lines);
}
