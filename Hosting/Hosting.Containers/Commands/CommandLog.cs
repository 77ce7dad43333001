using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

internal static partial class CommandLog
{
    [LoggerMessage(EventId = 500, Level = LogLevel.Information, Message = "{Line}")]
    public static partial void Output(ILogger logger, string line);

    [LoggerMessage(EventId = 501, Level = LogLevel.Information, Message = "Running {Program}")]
    public static partial void Running(ILogger logger, string program);
}
