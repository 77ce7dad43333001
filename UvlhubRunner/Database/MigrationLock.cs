using System.Text;

namespace UvlhubAspire.Runner.Database;

/// <summary>
/// Lets one migrator at a time work on a database: <c>GET_LOCK</c> on a connection of its own. MariaDB releases it when
/// that connection ends, whatever ended it, so a killed migrator leaves no lock behind
/// (https://mariadb.com/docs/server/reference/sql-functions/secondary-functions/miscellaneous-functions/get_lock).
/// </summary>
internal sealed partial class MigrationLock : IAsyncDisposable
{
    private const int MaximumNameLength = 64;
    private static readonly TimeSpan s_reportInterval = TimeSpan.FromSeconds(10);
    private readonly MySqlConnection _connection;
    private readonly string _name;

    private MigrationLock(MySqlConnection connection, string name) => (_connection, _name) = (connection, name);

    /// <summary>The connection that holds the lock; nothing else should run on it for long.</summary>
    public MySqlConnection Connection => _connection;

    /// <summary>The lock's name: one per database of a server, whatever characters and length the name has.</summary>
    public static string NameFor(string database)
    {
        var name = $"uvlhub_migrator.{database}";
        return Encoding.UTF8.GetByteCount(name) == name.Length && name.Length <= MaximumNameLength
            ? name
            : $"uvlhub_migrator.{Names.Digest(database, 40)}";
    }

    /// <summary>Takes the lock, waiting for another migrator to finish; the wait is visible in the log.</summary>
    /// <exception cref="MigrationFailedException">The other one did not finish in time; the message says who it is.</exception>
    public static async Task<MigrationLock> AcquireAsync(
        UvlhubDatabase database, RunnerSettings settings, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("take the lock", "GET_LOCK");
        var name = NameFor(database.Name);
        var connection = await database.ConnectAsRootAsync(cancellationToken);
        try
        {
            // It is idle while a revision runs.
            await connection.ExecuteAsync(Sql.StayConnected, cancellationToken);
            var started = time.GetTimestamp();
            TimeSpan? reported = null;
            while (!await TryTakeAsync(connection, name, reported is null ? 0 : 1, cancellationToken))
            {
                var waited = time.GetElapsedTime(started);
                if (reported is null || waited - reported >= s_reportInterval)
                {
                    reported = waited;
                    LogWaiting(
                        logger, await HolderAsync(connection, database.Name, cancellationToken) ?? "that has just ended",
                        settings.Options.Migrator.LockTimeout.TotalMinutes);
                }

                if (waited > settings.Options.Migrator.LockTimeout)
                {
                    throw new MigrationFailedException(
                        ExitCode.Unreachable,
                        $"Another migrator has been at work on {database.Name} for more than "
                        + $"{settings.Options.Migrator.LockTimeout.TotalMinutes:0} minutes: "
                        + $"{await HolderAsync(connection, database.Name, cancellationToken)}."
                        + $"{Environment.NewLine}Wait for it, or end it and start again; a longer wait: Uvlhub:Migrator:LockTimeout.");
                }
            }

            return new MigrationLock(connection, name);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the lock is still held: a server that restarted has forgotten it.</summary>
    public async Task<bool> IsHeldAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = new MySqlCommand("SELECT IS_USED_LOCK(@name) = CONNECTION_ID()", _connection) { CommandTimeout = 10 };
            command.Parameters.AddWithValue("@name", _name);
            return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken) is { } held and not DBNull ? held : 0, null) == 1;
        }
        catch (Exception exception) when (exception is MySqlException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Releases the lock by ending its connection.</summary>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static async Task<bool> TryTakeAsync(
        MySqlConnection connection, string name, int seconds, CancellationToken cancellationToken) =>
        await connection.NumberAsync(
            "SELECT GET_LOCK(@name, @seconds)", cancellationToken, ("@name", name), ("@seconds", seconds)) == 1;

    /// <summary>Who holds a database's lock, for people; <see langword="null"/> if nobody does.</summary>
    public static async Task<string?> HolderAsync(MySqlConnection connection, string database, CancellationToken cancellationToken) =>
        (await ServerConnection.HolderAsync(connection, NameFor(database), cancellationToken))?.ToString();

    [LoggerMessage(EventId = 220, Level = LogLevel.Information, Message = "Another migrator is at work on this database ({Holder}); "
        + "waiting for it, at most {Minutes:0} minutes")]
    private static partial void LogWaiting(ILogger logger, string holder, double minutes);
}
