using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

internal static partial class RestartLog
{
    [LoggerMessage(EventId = 400, Level = LogLevel.Warning, Message = "{Resource} has died ({Container}, {Cause}); starting it again in "
        + "{Delay:0.#} s, restart {Restart} of at most {Limit} in a row")]
    public static partial void Restarting(
        ILogger logger, string resource, string container, string cause, double delay, int restart, int limit);

    [LoggerMessage(EventId = 401, Level = LogLevel.Error, Message = "{Resource} has died {Times} times in a row ({Container}, {Cause}) "
        + "and stays down. Put the cause right, then press Start in the dashboard or say 'aspire resource {Resource} start'. Its last "
        + "lines:\n{Lines}")]
    public static partial void GivenUp(ILogger logger, string resource, string container, int times, string cause, string lines);

    [LoggerMessage(EventId = 402, Level = LogLevel.Information, Message = "{Container} was stopped by hand and stays stopped")]
    public static partial void StoppedByHand(ILogger logger, string container);

    [LoggerMessage(EventId = 403, Level = LogLevel.Error, Message = "{Resource} cannot be started again: {Reason}")]
    public static partial void Failed(ILogger logger, string resource, string reason, Exception? exception);

    [LoggerMessage(EventId = 404, Level = LogLevel.Error, Message = "The container engine is gone ('{Engine} version': {Reason}). Start "
        + "it again: everything that it ran is then started again by itself. Ctrl+C ends the waiting")]
    public static partial void EngineGone(ILogger logger, string engine, string reason);

    [LoggerMessage(EventId = 405, Level = LogLevel.Warning, Message = "The container engine is back after {Seconds:0} s, and what it ran "
        + "is started again; the volumes are as they were. The dashboard shows no new lines of these containers until the AppHost is "
        + "started anew: '{Engine} logs NAME' does")]
    public static partial void EngineBack(ILogger logger, string engine, double seconds);
}
