using UvlhubAspire.Runner.Journal;

namespace UvlhubAspire.Runner.Database;

/// <summary>
/// Keeps the application's user out while its database is replaced: its accounts are locked, and its connections ended. What
/// was locked is written down beside the journal first, so that whoever comes next lets it in again if this runner is
/// killed.
/// </summary>
internal sealed partial class SiteLockout(RunnerSettings settings, UvlhubDatabase database, ILogger<SiteLockout> logger)
{
    private const string Table = $"{MigrationJournal.Schema}.locked_out";

    /// <summary>Whether this runner has locked the user out and not let it in again.</summary>
    public bool IsInForce { get; private set; }

    /// <summary>Locks the user out and ends all other connections to the database.</summary>
    public async Task BeginAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        var user = settings.Application.UserID;
        if (user == settings.Root.UserID)
        {
            LogNotLockedOut(user, database.Name, "the migrator is the same user");
        }
        else
        {
            await LockAsync(root, user, cancellationToken);
        }

        if (await database.EndOtherConnectionsAsync(root, cancellationToken) is > 0 and var ended)
        {
            LogConnectionsEnded(ended, database.Name);
        }
    }

    /// <summary>Lets in again whom this runner or one that was killed has locked out; nothing if nobody is.</summary>
    public async Task EndAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        if (settings.HasOneAccount)
        {
            // It cannot lock itself out.
            return;
        }

        foreach (var (user, host) in await ReadAsync(root, cancellationToken))
        {
            try
            {
                await root.ExecuteAsync($"ALTER USER {Account(user, host)} ACCOUNT UNLOCK", cancellationToken);
            }
            catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.CannotUser)
            {
                // Somebody has dropped the account meanwhile.
            }

            await root.ExecuteAsync(
                $"DELETE FROM {Table} WHERE database_name = @database AND user = @user AND host = @host",
                cancellationToken, ("@database", database.Name), ("@user", user), ("@host", host));
            LogLetIn(user, database.Name);
        }

        IsInForce = false;
    }

    private async Task LockAsync(MySqlConnection root, string user, CancellationToken cancellationToken)
    {
        try
        {
            await root.ExecuteAsync(MigrationJournal.SchemaCreation, cancellationToken);
            await root.ExecuteAsync(
                $"""
                CREATE TABLE IF NOT EXISTS {Table} (
                    database_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
                    user VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
                    host VARCHAR(255) NOT NULL,
                    PRIMARY KEY (database_name, user, host)
                ) ENGINE=InnoDB COMMENT='Accounts that UvlhubRunner has locked and will unlock; docs/migrations.md'
                """,
                cancellationToken);
            IsInForce = true;
            foreach (var host in await root.TextsAsync(
                "SELECT Host FROM mysql.global_priv WHERE User = @user AND NOT COALESCE(JSON_VALUE(Priv, '$.account_locked'), FALSE)",
                cancellationToken, ("@user", user)))
            {
                await root.ExecuteAsync(
                    $"INSERT IGNORE INTO {Table} VALUES (@database, @user, @host)",
                    cancellationToken, ("@database", database.Name), ("@user", user), ("@host", host));
                await root.ExecuteAsync($"ALTER USER {Account(user, host)} ACCOUNT LOCK", cancellationToken);
            }

            LogLockedOut(user, database.Name);
        }
        catch (MySqlException exception) when (AccessDenied.IsMissingRight(exception))
        {
            LogNotLockedOut(user, database.Name, exception.Message);
        }
    }

    private async Task<List<(string User, string Host)>> ReadAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        try
        {
            return (await root.RowsAsync(
                $"SELECT user, host FROM {Table} WHERE database_name = @database", cancellationToken, ("@database", database.Name)))
                .ConvertAll(row => ((string)row[0], (string)row[1]));
        }
        catch (MySqlException exception) when (Sql.IsNotThere(exception))
        {
            return [];
        }
    }

    private static string Account(string user, string host) => $"{MariaDBStatements.QuoteText(user)}@{MariaDBStatements.QuoteText(host)}";

    [LoggerMessage(EventId = 240, Level = LogLevel.Warning, Message = "'{User}' is locked out while {Database} is put in order: the site "
        + "fails until that is done")]
    private partial void LogLockedOut(string user, string database);

    [LoggerMessage(EventId = 241, Level = LogLevel.Information, Message = "'{User}' is let into {Database} again")]
    private partial void LogLetIn(string user, string database);

    [LoggerMessage(EventId = 242, Level = LogLevel.Warning, Message = "'{User}' cannot be locked out while {Database} is put in order, so "
        + "what the site writes meanwhile may be lost: {Cause}")]
    private partial void LogNotLockedOut(string user, string database, string cause);

    [LoggerMessage(EventId = 243, Level = LogLevel.Warning, Message = "Ended {Count} connections to {Database} before putting it back")]
    private partial void LogConnectionsEnded(int count, string database);
}
