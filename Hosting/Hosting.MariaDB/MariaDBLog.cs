using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

internal static partial class MariaDBLog
{
    [LoggerMessage(EventId = 100, Level = LogLevel.Information, Message = "Database {Database} is there, with the application user's "
        + "rights on it")]
    public static partial void DatabaseCreated(ILogger logger, string database);

    [LoggerMessage(EventId = 101, Level = LogLevel.Error, Message = "Could not create the further databases as root: {Reason}. If the "
        + "volume was created with another MARIADB_ROOT_PASSWORD, put that one back or reset the volume")]
    public static partial void DatabasesNotCreated(ILogger logger, string reason);

    [LoggerMessage(EventId = 102, Level = LogLevel.Error, Message = "The server is no longer watched; nobody sees it fail to start")]
    public static partial void ServerNotWatched(ILogger logger, Exception exception);
}
