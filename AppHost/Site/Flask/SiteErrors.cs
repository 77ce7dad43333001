using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// A site that answers with an error page does not get better by waiting: says within seconds which page it is and why, and after a
/// while that it stays so (<c>Uvlhub:Patience</c>). Of one that does not answer, which step of its start script it is at.
/// </summary>
/// <param name="site">The site.</param>
/// <param name="patience">How long it may answer with errors.</param>
/// <param name="resources">Has the site's log.</param>
/// <param name="notifications">Knows under which name.</param>
/// <param name="time">The clock.</param>
/// <param name="loggers">For the console.</param>
internal sealed partial class SiteErrors(
    FlaskResource site, TimeSpan patience, ResourceLoggerService resources, ResourceNotificationService notifications, TimeProvider time,
    ILoggerFactory loggers)
{
    private static readonly TimeSpan s_said = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_longStep = TimeSpan.FromSeconds(30);
    private readonly ILogger _console = loggers.CreateLogger("UvlhubAspire.Site");
    private readonly TaskCompletionSource _lasting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long? _since;
    private long? _silentSince;
    private bool _isSaid;

    /// <summary>Ends when the site has answered with errors for as long as it may.</summary>
    public Task Lasting => _lasting.Task;

    /// <summary>Notes an answer.</summary>
    /// <param name="page">Which page was asked for.</param>
    /// <param name="status">The answer's status; 0 for none.</param>
    /// <param name="cancellationToken">Ends the look at the log.</param>
    public async Task NoteAsync(Uri page, int status, CancellationToken cancellationToken)
    {
        if (status != 0)
        {
            _silentSince = null;
        }
        else if (time.GetElapsedTime(_silentSince ??= time.GetTimestamp()) > s_longStep)
        {
            _silentSince = time.GetTimestamp();
            await NameStepAsync(cancellationToken);
        }

        if (status < 500)
        {
            (_since, _isSaid) = (null, false);
            return;
        }

        var lasted = time.GetElapsedTime(_since ??= time.GetTimestamp());
        if (lasted >= s_said && !_isSaid)
        {
            _isSaid = true;
            LogError(page, status, await LastExceptionAsync(cancellationToken), site.Name);
        }

        if (lasted >= patience)
        {
            _lasting.TrySetResult();
        }
    }

    // One that has begun and not ended.
    private async Task NameStepAsync(CancellationToken cancellationToken)
    {
        if ((await LinesAsync(cancellationToken)).Select(StartScript.StepOf).LastOrDefault(step => step is not null)
            is { HasEnded: false } open)
        {
            LogStep(site.Name, open.Step, s_longStep.TotalSeconds);
        }
    }

    // The first line of the last traceback that stands at the margin again.
    private async Task<string> LastExceptionAsync(CancellationToken cancellationToken)
    {
        const string Unknown = "its log does not say why";
        var lines = await LinesAsync(cancellationToken);
        var traceback = lines.FindLastIndex(line => line.StartsWith("Traceback ", StringComparison.Ordinal));
        return traceback < 0 ? Unknown
            : lines.Skip(traceback + 1).FirstOrDefault(line => line.Length > 0 && line[0] is not (' ' or '\t')) ?? Unknown;
    }

    private async Task<List<string>> LinesAsync(CancellationToken cancellationToken) =>
        notifications.TryGetCurrentState(site.Name, out var current)
            ? [.. (await ResourceLines.ReadAsync(resources, current.ResourceId, cancellationToken)).Select(Printed)]
            : [];

    // Aspire puts the time before each line.
    private static string Printed(string line) =>
        line.Split(' ', 2) is [var stamp, var rest] && DateTimeOffset.TryParse(stamp, out _) ? rest : line;

    [LoggerMessage(EventId = 330, Level = LogLevel.Error, Message = "GET {Page} answers {Status}: {Reason}. 'dotnet aspire logs {Site}' "
        + "has the whole")]
    private partial void LogError(Uri page, int status, string reason, string site);

    [LoggerMessage(EventId = 331, Level = LogLevel.Warning, Message = "{Site} does not serve yet: its start script is at {Step}, for more "
        + "than {Seconds:0} s. 'dotnet aspire logs {Site}' shows what that says")]
    private partial void LogStep(string site, string step, double seconds);
}
