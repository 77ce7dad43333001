using System.Globalization;
using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Journal;

/// <summary>
/// The journal of runs: a table in a database of its own on the same server. It lives and dies with the data it speaks of
/// (a file on the host would outlive a deleted volume and tell of a database that is gone), no restore of the
/// application's database touches it, each entry is durable before the change that it announces, and every migrator of
/// this server reads the same one. On a server that gives one user one database it is in that one, among the runner's own
/// tables (<see cref="OwnTables"/>).
/// <para>
/// The application reads it too, by the view <c>gate</c>, before it starts (the AppHost's <c>uvlhub_start.py</c>): the revision that
/// the database has been brought to, verified and seeded. There is none from the moment a change is announced until it is done or
/// undone: no entry is open then, and whatever ends the migrator leaves that as it is.
/// </para>
/// </summary>
internal sealed class MigrationJournal(RunnerSettings settings, UvlhubDatabase database, TimeProvider time)
{
    public const string Schema = "uvlhub_runner";

    public const string SchemaCreation = $"CREATE DATABASE IF NOT EXISTS {Schema} CHARACTER SET utf8mb4";

    private const string Gate = "gate";

    // Where one user has one database, that is the only place.
    private string Place => settings.HasOneAccount
        ? $"{MariaDBStatements.QuoteIdentifier(settings.Database)}.{OwnTables.Prefix}"
        : $"{Schema}.";

    // An entry that tells of no run.
    private const string Found = "found";

    private const int MaximumCauseLength = 4000;
    private const int SearchedRuns = 1000;

    /// <summary>How often a run shows that it is at work (<see cref="SeenAsync"/>).</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly HashSet<long> _own = [];

    // How long after its last sign a run may still have written, and MariaDB have worked off what it was given.
    private static readonly TimeSpan s_unseen = 3 * Interval;

    private const string Columns = "id, verb, from_revision, to_revision, started, ended, phase, undo_by, snapshot, result, cause, process";

    private static readonly string s_process = $"{Environment.MachineName}:{Environment.ProcessId}";

    private IEnumerable<string> Creation =>
    [
        .. settings.HasOneAccount ? Array.Empty<string>() : [SchemaCreation],
        $"""
        CREATE TABLE IF NOT EXISTS {Place}rehearsals (
            database_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
            digest CHAR(64) NOT NULL,
            passed DATETIME(6) NOT NULL
        ) ENGINE=InnoDB COMMENT='What UvlhubRunner has rehearsed; docs/migrations.md'
        """,
        $"""
        CREATE TABLE IF NOT EXISTS {Place}runs (
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
        $"""
        CREATE VIEW IF NOT EXISTS {Place}{Gate} AS
        SELECT database_name,
            IF(
                EXISTS (
                    SELECT 1 FROM {Place}runs own
                    WHERE own.database_name = newest.database_name AND own.phase <> '{nameof(RunPhase.Closed)}'),
                NULL,
                (SELECT to_revision FROM {Place}runs own WHERE own.database_name = newest.database_name
                    AND own.result = '{MigrationRun.Succeeded}' ORDER BY id DESC LIMIT 1)) AS revision,
            cause AS problem
        FROM {Place}runs newest
        WHERE id = (SELECT MAX(id) FROM {Place}runs own WHERE own.database_name = newest.database_name)
        """,
    ];

    /// <summary>The latest runs, the newest first; none if there is no journal yet.</summary>
    public async Task<IReadOnlyList<MigrationRun>> ReadAsync(MySqlConnection connection, int limit, CancellationToken cancellationToken)
    {
        try
        {
            var rows = await connection.RowsAsync(
                $"SELECT {Columns} FROM {Place}runs WHERE database_name = @database AND verb <> '{Found}' ORDER BY id DESC "
                + $"LIMIT {limit}",
                cancellationToken,
                ("@database", database.Name));
            return rows.ConvertAll(Read);
        }
        catch (MySqlException exception) when (Sql.IsNotThere(exception))
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

    /// <summary>Closes earlier runs that are still open, because a later one has made pointless what was left to do.</summary>
    /// <param name="phase">Only those that are in this phase. Default: all.</param>
    public Task CloseEarlierAsync(
        MySqlConnection connection, MigrationRun by, CancellationToken cancellationToken, RunPhase? phase = null) =>
        connection.ExecuteAsync(
            $"""
            UPDATE {Place}runs SET phase = @closed, ended = @ended, result = @result, cause = @cause
            WHERE database_name = @database AND phase IN (@first, @second) AND id < @id
            """,
            cancellationToken,
            ("@closed", nameof(RunPhase.Closed)), ("@first", (phase ?? RunPhase.Changing).ToString()),
            ("@second", (phase ?? RunPhase.SeedDue).ToString()), ("@ended", time.GetUtcNow().UtcDateTime),
            ("@result", MigrationRun.Killed), ("@cause", $"run {by.Id} ({by.Verb}) took its place"), ("@database", database.Name),
            ("@id", by.Id));

    /// <summary>Writes down that a run is at work at this moment, by the server's clock.</summary>
    public Task SeenAsync(MySqlConnection connection, MigrationRun run, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            $"UPDATE {Place}runs SET ended = UTC_TIMESTAMP(6) WHERE id = @id AND phase <> @closed",
            cancellationToken,
            ("@id", run.Id), ("@closed", nameof(RunPhase.Closed)));

    /// <summary>
    /// Whether somebody has written to the database after a run was last seen at work; <see langword="null"/> if that cannot
    /// be told, because the server has been started since, and forgets when a table was written to.
    /// </summary>
    public async Task<bool?> IsWrittenSinceAsync(MySqlConnection connection, MigrationRun run, CancellationToken cancellationToken)
    {
        // Ages, because one is in UTC and the other in the session's time zone.
        var row = (await connection.RowsAsync(
            $"""
            SELECT TIMESTAMPDIFF(SECOND, COALESCE(ended, started), UTC_TIMESTAMP()),
                (SELECT MIN(TIMESTAMPDIFF(SECOND, UPDATE_TIME, NOW())) FROM information_schema.TABLES
                    WHERE TABLE_SCHEMA = @database AND {OwnTables.AreNot("TABLE_NAME")}),
                (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME')
            FROM {Place}runs WHERE id = @id
            """,
            cancellationToken,
            ("@database", database.Name), ("@id", run.Id)))[0];
        var dead = TimeSpan.FromSeconds(Convert.ToInt64(row[0], CultureInfo.InvariantCulture));
        return row[1] is not DBNull && TimeSpan.FromSeconds(Convert.ToInt64(row[1], CultureInfo.InvariantCulture)) < dead - s_unseen
            ? true
            : TimeSpan.FromSeconds(Convert.ToInt64(row[2], CultureInfo.InvariantCulture)) < dead - s_unseen ? null : false;
    }

    /// <summary>When the database was last brought to a revision; <see langword="null"/> if the journal does not know.</summary>
    public async Task<MigrationRun?> LastRunToAsync(MySqlConnection connection, string revision, CancellationToken cancellationToken) =>
        (await ReadAsync(connection, SearchedRuns, cancellationToken)).FirstOrDefault(
            run => run.To == revision && run.Result == MigrationRun.Succeeded);

    /// <summary>Whether <see cref="PassedAsync"/> was said of a rehearsal.</summary>
    public async Task<bool> HasPassedAsync(MySqlConnection connection, string digest, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.NumberAsync(
                $"SELECT 1 FROM {Place}rehearsals WHERE database_name = @database AND digest = @digest", cancellationToken,
                ("@database", database.Name), ("@digest", digest)) == 1;
        }
        catch (MySqlException exception) when (Sql.IsNotThere(exception))
        {
            return false;
        }
    }

    /// <summary>Writes down that a rehearsal has passed; only the latest one of a database is known.</summary>
    public async Task PassedAsync(MySqlConnection connection, string digest, CancellationToken cancellationToken)
    {
        await CreateAsync(connection, cancellationToken);
        await connection.ExecuteAsync(
            $"REPLACE INTO {Place}rehearsals VALUES (@database, @digest, UTC_TIMESTAMP(6))", cancellationToken,
            ("@database", database.Name), ("@digest", digest));
    }

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
            Process = s_process,
        };

        await CreateAsync(connection, cancellationToken);
        var id = await connection.ExecuteAsync(
            $"""
            INSERT INTO {Place}runs (database_name, verb, from_revision, to_revision, started, ended, phase, undo_by, snapshot, process)
            VALUES (@database, @verb, @from, @to, @started, UTC_TIMESTAMP(6), @phase, @undo, @snapshot, @process)
            """,
            cancellationToken,
            ("@database", database.Name), ("@verb", verb), ("@from", from), ("@to", to), ("@started", run.Started.UtcDateTime),
            ("@phase", run.Phase.ToString()), ("@undo", undo.ToString()), ("@snapshot", snapshot), ("@process", run.Process));
        _own.Add(id);
        return run with { Id = id };
    }

    /// <summary>Whether a run was begun by this process.</summary>
    public bool IsOwn(MigrationRun run) => _own.Contains(run.Id);

    public async Task<MigrationRun> MoveAsync(
        MySqlConnection connection, MigrationRun run, RunPhase phase, RunUndo undo, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(
            $"UPDATE {Place}runs SET phase = @phase, undo_by = @undo WHERE id = @id AND database_name = @database",
            cancellationToken,
            ("@phase", phase.ToString()), ("@undo", undo.ToString()), ("@database", database.Name), ("@id", run.Id));
        return run with { Phase = phase, Undo = undo };
    }

    public Task CloseAsync(
        MySqlConnection connection, MigrationRun run, string result, string? cause, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            $"UPDATE {Place}runs SET phase = @phase, ended = @ended, result = @result, cause = @cause WHERE id = @id",
            cancellationToken,
            ("@phase", nameof(RunPhase.Closed)), ("@ended", time.GetUtcNow().UtcDateTime), ("@result", result),
            ("@cause", cause is { Length: > MaximumCauseLength } ? cause[..MaximumCauseLength] : cause), ("@id", run.Id));

    /// <summary>
    /// Lets the application in at a revision that the database has been found at. A run of this migrator's has done that already; what
    /// somebody else brought there gets an entry that is none of a run.
    /// </summary>
    /// <exception cref="MigrationFailedException">The application's user may not be given the right to read it.</exception>
    public async Task VouchAsync(MySqlConnection connection, string revision, CancellationToken cancellationToken)
    {
        if (await VouchedAsync(connection, cancellationToken) != revision)
        {
            await CreateAsync(connection, cancellationToken);
            await connection.ExecuteAsync(
                $"""
                INSERT INTO {Place}runs
                    (database_name, verb, from_revision, to_revision, started, ended, phase, undo_by, result, process)
                VALUES (@database, '{Found}', @revision, @revision, @now, @now, @phase, @undo, @result, @process)
                """,
                cancellationToken,
                ("@database", database.Name), ("@revision", revision), ("@now", time.GetUtcNow().UtcDateTime),
                ("@phase", nameof(RunPhase.Closed)), ("@undo", nameof(RunUndo.Nothing)), ("@result", MigrationRun.Succeeded),
                ("@process", s_process));
        }

        // Asked first, because a grant writes to the server's own tables even if it changes nothing.
        var user = settings.Application.UserID;
        if (user == settings.Root.UserID || await connection.NumberAsync(
            "SELECT 1 FROM mysql.tables_priv WHERE User = @user AND Db = @schema AND Table_name = @gate", cancellationToken,
            ("@user", user), ("@schema", Schema), ("@gate", Gate)) == 1)
        {
            return;
        }

        try
        {
            await connection.ExecuteAsync(
                $"GRANT SELECT ON {Place}{Gate} TO {MariaDBStatements.QuoteText(user)}@'%'", cancellationToken);
        }
        catch (MySqlException exception) when (AccessDenied.IsMissingRight(exception))
        {
            throw new MigrationFailedException(
                ExitCode.Unreachable,
                $"MariaDB at {settings.Address} does not let '{settings.Root.UserID}' give '{user}' the right to read {Place}{Gate}, by "
                + $"which the site knows that its schema is there ({exception.Message}).{Environment.NewLine}"
                + "The migrator needs root, or somebody else who may give rights: Uvlhub:Database:Administrator, with the password in "
                + "MARIADB_ROOT_PASSWORD. The database itself is as it should be.",
                exception);
        }
    }

    private async Task CreateAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var statement in Creation)
        {
            await connection.ExecuteAsync(statement, cancellationToken);
        }
    }

    private async Task<string?> VouchedAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.RowsAsync(
                $"SELECT revision FROM {Place}{Gate} WHERE database_name = @database", cancellationToken, ("@database", database.Name))
                is [[string revision]] ? revision : null;
        }
        catch (MySqlException exception) when (Sql.IsNotThere(exception))
        {
            return null;
        }
    }

    private static MigrationRun Read(object[] row) => new()
    {
        Id = (long)row[0],
        Verb = (string)row[1],
        From = (string)row[2],
        To = (string)row[3],
        Started = Utc((DateTime)row[4]),
        // Of an open run it says when it was last seen at work.
        Ended = row[5] is DateTime ended && (string)row[6] == nameof(RunPhase.Closed) ? Utc(ended) : null,
        Phase = Enum.Parse<RunPhase>((string)row[6]),
        Undo = Enum.Parse<RunUndo>((string)row[7]),
        Snapshot = row[8] as string,
        Result = row[9] as string,
        Cause = row[10] as string,
        Process = (string)row[11],
    };

    private static DateTimeOffset Utc(DateTime time) => new(DateTime.SpecifyKind(time, DateTimeKind.Utc));
}
