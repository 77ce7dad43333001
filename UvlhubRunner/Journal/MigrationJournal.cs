using System.Globalization;
using MySqlConnector;
using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Journal;

/// <summary>
/// The journal of runs: a table in a database of its own on the same server. It lives and dies with the data it speaks of
/// (a file on the host would outlive a deleted volume and tell of a database that is gone), no restore of the
/// application's database touches it, each entry is durable before the change that it announces, and every migrator of
/// this server reads the same one.
/// </summary>
internal sealed class MigrationJournal(UvlhubDatabase database, TimeProvider time)
{
    /// <summary>The journal's database.</summary>
    public const string Schema = "uvlhub_runner";

    private const int MaximumCauseLength = 4000;
    private const int SearchedRuns = 1000;

    private const string Columns = "id, verb, from_revision, to_revision, started, ended, phase, undo_by, snapshot, result, cause, process";

    private static readonly string[] s_creation =
    [
        $"CREATE DATABASE IF NOT EXISTS {Schema} CHARACTER SET utf8mb4",
        $"""
        CREATE TABLE IF NOT EXISTS {Schema}.runs (
            id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            database_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
            verb VARCHAR(16) NOT NULL,
            from_revision TEXT NOT NULL,
            to_revision TEXT NOT NULL,
            started DATETIME(6) NOT NULL,
            ended DATETIME(6) NULL,
            phase VARCHAR(16) NOT NULL,
            undo_by VARCHAR(16) NOT NULL,
            snapshot VARCHAR(255) NULL,
            result VARCHAR(16) NULL,
            cause TEXT NULL,
            process VARCHAR(255) NOT NULL,
            KEY runs_of_database (database_name, id)
        ) ENGINE=InnoDB COMMENT='Runs of UvlhubRunner; docs/migrations.md'
        """,
    ];

    /// <summary>The latest runs, the newest first; none if there is no journal yet.</summary>
    public async Task<IReadOnlyList<MigrationRun>> ReadAsync(MySqlConnection connection, int limit, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            $"SELECT {Columns} FROM {Schema}.runs WHERE database_name = @database ORDER BY id DESC LIMIT {limit.ToString(CultureInfo.InvariantCulture)}",
            connection);
        command.Parameters.AddWithValue("@database", database.Name);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            List<MigrationRun> runs = [];
            while (await reader.ReadAsync(cancellationToken))
            {
                runs.Add(Read(reader));
            }

            return runs;
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.NoSuchTable or MySqlErrorCode.UnknownDatabase)
        {
            return [];
        }
    }

    /// <summary>
    /// The run that is not closed, if there is one; one that was changing something before one whose seeding is due.
    /// Whoever holds the lock and finds one knows that it is dead.
    /// </summary>
    public async Task<MigrationRun?> OpenRunAsync(MySqlConnection connection, CancellationToken cancellationToken) =>
        (await ReadAsync(connection, SearchedRuns, cancellationToken))
            .Where(run => run.IsOpen)
            .OrderBy(run => run.Phase == RunPhase.Changing ? 0 : 1)
            .FirstOrDefault();

    /// <summary>Closes the runs whose seeding was due, because a later run has made that pointless.</summary>
    public async Task CloseDueSeedingsAsync(MySqlConnection connection, MigrationRun by, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            $"""
            UPDATE {Schema}.runs SET phase = @closed, ended = @ended, result = @result, cause = @cause
            WHERE database_name = @database AND phase = @due AND id <> @id
            """,
            connection);
        command.Parameters.AddWithValue("@closed", nameof(RunPhase.Closed));
        command.Parameters.AddWithValue("@due", nameof(RunPhase.SeedDue));
        command.Parameters.AddWithValue("@ended", time.GetUtcNow().UtcDateTime);
        command.Parameters.AddWithValue("@result", MigrationRun.Killed);
        command.Parameters.AddWithValue("@cause", $"run {by.Id} ({by.Verb}) took its place");
        command.Parameters.AddWithValue("@database", database.Name);
        command.Parameters.AddWithValue("@id", by.Id);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>When the database was last brought to a revision; <see langword="null"/> if the journal does not know.</summary>
    public async Task<MigrationRun?> LastRunToAsync(MySqlConnection connection, string revision, CancellationToken cancellationToken) =>
        (await ReadAsync(connection, SearchedRuns, cancellationToken)).FirstOrDefault(
            run => run.To == revision && run.Result == MigrationRun.Succeeded);

    /// <summary>Opens an entry; it is durable when this returns.</summary>
    public async Task<MigrationRun> BeginAsync(
        MySqlConnection connection, string verb, string from, string to, RunUndo undo, string? snapshot,
        CancellationToken cancellationToken)
    {
        var run = new MigrationRun
        {
            Id = 0,
            Verb = verb,
            From = from,
            To = to,
            Started = time.GetUtcNow(),
            Phase = RunPhase.Changing,
            Undo = undo,
            Snapshot = snapshot,
            Process = $"{Environment.MachineName}:{Environment.ProcessId}",
        };

        foreach (var statement in s_creation)
        {
            await using var creation = new MySqlCommand(statement, connection);
            await creation.ExecuteNonQueryAsync(cancellationToken);
        }

        await using var command = new MySqlCommand(
            $"""
            INSERT INTO {Schema}.runs (database_name, verb, from_revision, to_revision, started, phase, undo_by, snapshot, process)
            VALUES (@database, @verb, @from, @to, @started, @phase, @undo, @snapshot, @process)
            """,
            connection);
        command.Parameters.AddWithValue("@database", database.Name);
        command.Parameters.AddWithValue("@verb", verb);
        command.Parameters.AddWithValue("@from", from);
        command.Parameters.AddWithValue("@to", to);
        command.Parameters.AddWithValue("@started", run.Started.UtcDateTime);
        command.Parameters.AddWithValue("@phase", run.Phase.ToString());
        command.Parameters.AddWithValue("@undo", undo.ToString());
        command.Parameters.AddWithValue("@snapshot", snapshot);
        command.Parameters.AddWithValue("@process", run.Process);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return run with { Id = command.LastInsertedId };
    }

    /// <summary>Moves an open entry to a phase.</summary>
    public async Task<MigrationRun> MoveAsync(
        MySqlConnection connection, MigrationRun run, RunPhase phase, RunUndo undo, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            $"UPDATE {Schema}.runs SET phase = @phase, undo_by = @undo WHERE id = @id AND database_name = @database", connection);
        command.Parameters.AddWithValue("@phase", phase.ToString());
        command.Parameters.AddWithValue("@undo", undo.ToString());
        command.Parameters.AddWithValue("@database", database.Name);
        command.Parameters.AddWithValue("@id", run.Id);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return run with { Phase = phase, Undo = undo };
    }

    /// <summary>Closes an entry.</summary>
    public async Task CloseAsync(
        MySqlConnection connection, MigrationRun run, string result, string? cause, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            $"UPDATE {Schema}.runs SET phase = @phase, ended = @ended, result = @result, cause = @cause WHERE id = @id", connection);
        command.Parameters.AddWithValue("@phase", nameof(RunPhase.Closed));
        command.Parameters.AddWithValue("@ended", time.GetUtcNow().UtcDateTime);
        command.Parameters.AddWithValue("@result", result);
        command.Parameters.AddWithValue("@cause", cause is { Length: > MaximumCauseLength } ? cause[..MaximumCauseLength] : cause);
        command.Parameters.AddWithValue("@id", run.Id);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static MigrationRun Read(MySqlDataReader reader) => new()
    {
        Id = reader.GetInt64(0),
        Verb = reader.GetString(1),
        From = reader.GetString(2),
        To = reader.GetString(3),
        Started = Utc(reader.GetDateTime(4)),
        Ended = reader.IsDBNull(5) ? null : Utc(reader.GetDateTime(5)),
        Phase = Enum.Parse<RunPhase>(reader.GetString(6)),
        Undo = Enum.Parse<RunUndo>(reader.GetString(7)),
        Snapshot = Text(reader, 8),
        Result = Text(reader, 9),
        Cause = Text(reader, 10),
        Process = reader.GetString(11),
    };

    private static string? Text(MySqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
