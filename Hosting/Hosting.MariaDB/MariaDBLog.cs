using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

internal static partial class MariaDBLog
{
    [LoggerMessage(EventId = 100, Level = LogLevel.Debug, Message = "Database '{Database}' is there")]
    public static partial void DatabaseCreated(ILogger logger, string database);

    [LoggerMessage(EventId = 101, Level = LogLevel.Error, Message = "The databases were not created, because root cannot log in: "
        + "{Reason}. If the volume was created with another password of root, put that one back, or remove the volume")]
    public static partial void NoAccess(ILogger logger, string reason);

    [LoggerMessage(EventId = 102, Level = LogLevel.Error, Message = "The server is no longer watched; nobody sees it fail to start")]
    public static partial void ServerNotWatched(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 103, Level = LogLevel.Error, Message = "Database '{Database}' was not created: {Reason}")]
    public static partial void DatabaseNotCreated(ILogger logger, string database, string reason);
}
