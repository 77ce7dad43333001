using System.Diagnostics;

namespace UvlhubAspire.Runner.Resilience;

/// <summary>
/// Tells what is waited for: at the first failed attempt, whenever the cause changes, and every ten seconds; in the trace,
/// every time.
/// </summary>
internal sealed partial class RetryReport(ILogger<RetryReport> logger, TimeProvider time)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private string? _lastCause;
    private long _lastTime;

    /// <summary>Reports one failed attempt.</summary>
    public void Failed(string what, int attempt, string cause, TimeSpan next)
    {
        Activity.Current?.AddEvent(new ActivityEvent("retry", tags: new ActivityTagsCollection
        {
            ["attempt"] = attempt,
            ["cause"] = cause,
            ["delay_ms"] = next.TotalMilliseconds,
        }));

        lock (_lock)
        {
            var key = what + cause;
            if (key == _lastCause && time.GetElapsedTime(_lastTime) < s_interval)
            {
                return;
            }

            (_lastCause, _lastTime) = (key, time.GetTimestamp());
        }

        LogFailed(what, attempt, cause);
    }

    [LoggerMessage(EventId = 200, Level = LogLevel.Information, Message = "{What}: attempt {Attempt} failed ({Cause}); trying again")]
    private partial void LogFailed(string what, int attempt, string cause);
}
