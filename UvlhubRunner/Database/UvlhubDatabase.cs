using Polly.Registry;
using Polly.Timeout;
using UvlhubAspire.Runner.Resilience;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Database;

/// <summary>The application's database on its server: how to reach it, and what state it is in.</summary>
internal sealed partial class UvlhubDatabase(
    RunnerSettings settings, ResiliencePipelineProvider<string> pipelines, TimeProvider time, ILogger<UvlhubDatabase> logger)
    : IDisposable
{
    // MariaDB waits a day for a metadata lock; a migrator that waits unseen looks dead.
    private static readonly TimeSpan s_metadataLockLimit = TimeSpan.FromSeconds(60);

    /// <summary>The table in which Alembic keeps the revision.</summary>
    public const string VersionTable = "alembic_version";

    private readonly SemaphoreSlim _beside = new(1);

    private TimeSpan? _unanswered;

    /// <summary>How long the server did not answer before its first answer; zero if it always did.</summary>
    public TimeSpan Unanswered => _unanswered ?? TimeSpan.Zero;

    public string Name => settings.Database;

    /// <summary>Opens a connection as <c>root</c>, waiting for the server if it is still starting.</summary>
    /// <exception cref="MigrationFailedException">It did not answer in time, or it refuses the password; the message says
    /// which, and what to do.</exception>
    public Task<MySqlConnection> ConnectAsRootAsync(CancellationToken cancellationToken) => ConnectAsync(
        settings.Root, settings.HasOneAccount ? SecretKeys.UserPassword : SecretKeys.RootPassword, cancellationToken);

    /// <summary>
    /// Does something beside the work, over a connection of its own. One at a time: a server may allow its user few.
    /// </summary>
    public async Task BesideAsync(Func<MySqlConnection, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        await _beside.WaitAsync(cancellationToken);
        try
        {
            await using var connection = await ConnectAsRootAsync(cancellationToken);
            await act(connection, cancellationToken);
        }
        finally
        {
            _beside.Release();
        }
    }

    /// <summary>Makes sure that the application's user can work: it logs in and uses its database.</summary>
    /// <exception cref="MigrationFailedException">It cannot; the message says why, and what to do.</exception>
    public async Task CheckApplicationUserAsync(CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(settings.Application, "MARIADB_PASSWORD", cancellationToken);
    }

    /// <summary>
    /// Creates the application's database and the one for tests, with the application user's rights on both, where they
    /// are missing: the image creates the first one only on a new volume, and uvlhub's init-testing-db.sh the second.
    /// </summary>
    public async Task EnsureDatabasesAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        if (settings.HasOneAccount)
        {
            // Whoever owns the server has made it.
            return;
        }

        using var activity = Telemetry.Step("create databases", "CREATE DATABASE");
        try
        {
            foreach (var database in settings.Databases.Distinct(StringComparer.Ordinal))
            {
                // Asked first, because a grant writes to the server's own tables even if it changes nothing.
                if (!await IsGrantedAsync(root, database, cancellationToken))
                {
                    foreach (var statement in MariaDBStatements.CreateDatabase(
                        database, settings.Application.UserID is "root" ? null : settings.Application.UserID))
                    {
                        await root.ExecuteAsync(statement, cancellationToken);
                    }

                    LogDatabaseCreated(database, settings.Application.UserID);
                }
            }
        }
        catch (MySqlException exception) when (AccessDenied.IsMissingRight(exception))
        {
            throw new MigrationFailedException(
                ExitCode.Unreachable,
                $"MariaDB at {settings.Address} does not let '{settings.Root.UserID}' prepare the databases "
                + $"({exception.Message}).{Environment.NewLine}"
                + "The migrator needs root, or somebody else who may create databases and give rights: Uvlhub:Database:Administrator, "
                + "with the password in MARIADB_ROOT_PASSWORD. A server that gives one user one database: leave MARIADB_ROOT_PASSWORD out. "
                + "Nothing was changed.",
                exception);
        }
    }

    public async Task<DatabaseFacts> InspectAsync(CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("inspect", "SELECT");
        return await pipelines.GetPipeline(Pipelines.Inspect).ExecuteAsync(async token =>
        {
            await using var connection = await ConnectAsRootAsync(token);
            return await InspectAsync(connection, token);
        }, cancellationToken);
    }

    /// <summary>Reads the state of the schema over an open connection, without trying again.</summary>
    public async Task<DatabaseFacts> InspectAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        var tables = await connection.TextsAsync(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = @database ORDER BY TABLE_NAME",
            cancellationToken,
            ("@database", Name));
        var hasVersionTable = tables.Remove(VersionTable);
        var isPartlyRestored = tables.Remove(ContentReader.UnfinishedRestoreTable);
        tables.RemoveAll(OwnTables.Has);
        return new DatabaseFacts
        {
            PartOf = isPartlyRestored
                ? await UnfinishedRestore.ReadAsync(new ContentReader(connection, Name), cancellationToken)
                : null,
            Tables = tables,
            HasVersionTable = hasVersionTable,
            Revisions = hasVersionTable
                ? await connection.TextsAsync(
                    $"SELECT version_num FROM {MariaDBStatements.QuoteIdentifier(Name)}.{VersionTable} ORDER BY version_num",
                    cancellationToken)
                : [],
        };
    }

    /// <summary>Whether a table, other than Alembic's own, has a row.</summary>
    public async Task<bool> HasRowsAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        foreach (var table in (await BaseTablesAsync(connection, cancellationToken))
            .Except([VersionTable], StringComparer.Ordinal))
        {
            if (await connection.NumberAsync(
                $"SELECT EXISTS (SELECT 1 FROM {MariaDBStatements.QuoteIdentifier(Name)}.{MariaDBStatements.QuoteIdentifier(table)})",
                cancellationToken) == 1)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Drops everything in the database: tables, views, triggers and routines all go. The rights of its user stay, and so does
    /// its collation. It can be cut off anywhere and done again.
    /// </summary>
    public async Task EmptyAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("empty the database", "DROP TABLE");
        await root.ExecuteAsync($"SET SESSION lock_wait_timeout = {s_metadataLockLimit.TotalSeconds:0}", cancellationToken);
        await DatabaseObjects.DropAsync(root, Name, cancellationToken);
        await UnfinishedRestore.ClearAsync(new ContentReader(root, Name), cancellationToken);
    }

    /// <summary>
    /// Moves all tables with their rows into a database of another name, in one statement and without a copy: where a dump
    /// is not to be had, this needs no room. Triggers go, and views stay behind. On a server that gives one user one database
    /// the tables get other names instead, and lose their foreign keys.
    /// </summary>
    /// <param name="name">What the other database is called; a number is added if there is one. Or what the tables' names begin with.</param>
    /// <returns>The other database, or the beginning of the names.</returns>
    public async Task<string> MoveAsideAsync(MySqlConnection root, string name, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("move the tables aside", "RENAME TABLE");
        if (settings.HasOneAccount)
        {
            await RenameAsync(root, name, cancellationToken);
            return name;
        }

        var taken = await root.TextsAsync(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE LEFT(SCHEMA_NAME, CHAR_LENGTH(@name)) = @name", cancellationToken,
            ("@name", name));
        var aside = taken.Count == 0 ? name : $"{name}_{taken.Count + 1}";
        var (from, to) = (MariaDBStatements.QuoteIdentifier(Name), MariaDBStatements.QuoteIdentifier(aside));
        await root.ExecuteAsync(
            $"SET SESSION foreign_key_checks = 0, lock_wait_timeout = {s_metadataLockLimit.TotalSeconds:0}", cancellationToken);
        await root.CreateDatabaseAsync(aside, Name, cancellationToken);
        try
        {
            await DropTriggersAsync(root, cancellationToken);
            var tables = (await BaseTablesAsync(root, cancellationToken)).Select(MariaDBStatements.QuoteIdentifier);
            await root.ExecuteAsync(
                $"RENAME TABLE {string.Join(", ", tables.Select(table => $"{from}.{table} TO {to}.{table}"))}", cancellationToken);
            return aside;
        }
        catch (MySqlException)
        {
            await root.ExecuteAsync($"DROP DATABASE {to}", CancellationToken.None);
            throw;
        }
        finally
        {
            await root.ExecuteAsync("SET SESSION foreign_key_checks = 1", CancellationToken.None);
        }
    }

    // Where there is no other database, under names that are none of the application's.
    private async Task RenameAsync(MySqlConnection root, string name, CancellationToken cancellationToken)
    {
        var database = MariaDBStatements.QuoteIdentifier(Name);
        await root.ExecuteAsync(
            $"SET SESSION foreign_key_checks = 0, lock_wait_timeout = {s_metadataLockLimit.TotalSeconds:0}", cancellationToken);
        try
        {
            await DropTriggersAsync(root, cancellationToken);
            // A foreign key's name is taken in its database, whatever its table is called.
            foreach (var key in await root.RowsAsync(
                $"SELECT TABLE_NAME, CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = @database "
                + $"AND {OwnTables.AreNot("TABLE_NAME")}",
                cancellationToken, ("@database", Name)))
            {
                await root.ExecuteAsync(
                    $"ALTER TABLE {database}.{MariaDBStatements.QuoteIdentifier((string)key[0])} DROP FOREIGN KEY "
                    + MariaDBStatements.QuoteIdentifier((string)key[1]),
                    cancellationToken);
            }

            var tables = (await BaseTablesAsync(root, cancellationToken)).Select((table, index) =>
            {
                var kept = $"{name}_{index + 1}_{table}";
                return $"{database}.{MariaDBStatements.QuoteIdentifier(table)} TO {database}."
                    + MariaDBStatements.QuoteIdentifier(kept[..Math.Min(kept.Length, OwnTables.MaximumNameLength)]);
            });
            await root.ExecuteAsync($"RENAME TABLE {string.Join(", ", tables)}", cancellationToken);
        }
        finally
        {
            await root.ExecuteAsync("SET SESSION foreign_key_checks = 1", CancellationToken.None);
        }
    }

    private async Task DropTriggersAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        foreach (var trigger in await root.TextsAsync(
            "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = @database", cancellationToken,
            ("@database", Name)))
        {
            await root.ExecuteAsync(
                $"DROP TRIGGER {MariaDBStatements.QuoteIdentifier(Name)}.{MariaDBStatements.QuoteIdentifier(trigger)}", cancellationToken);
        }
    }

    /// <summary>Gives the database the revision of a scratch database, by copying Alembic's table.</summary>
    public async Task CopyVersionAsync(MySqlConnection root, string scratch, CancellationToken cancellationToken)
    {
        var (from, to) = (MariaDBStatements.QuoteIdentifier(scratch), MariaDBStatements.QuoteIdentifier(Name));
        await root.ExecuteAsync($"CREATE TABLE IF NOT EXISTS {to}.{VersionTable} LIKE {from}.{VersionTable}", cancellationToken);
        await root.ExecuteAsync($"INSERT INTO {to}.{VersionTable} SELECT * FROM {from}.{VersionTable}", cancellationToken);
    }

    /// <summary>
    /// Ends all other connections to the database and waits until they are gone: a client that was killed leaves its last
    /// statement running on the server.
    /// </summary>
    /// <returns>How many there were.</returns>
    public async Task<int> EndOtherConnectionsAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("end other connections", "KILL");
        var others = await OtherConnectionsAsync();
        foreach (var id in others)
        {
            try
            {
                await root.ExecuteAsync($"KILL CONNECTION {id}", cancellationToken);
            }
            catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.NoSuchThread)
            {
                // It has ended meanwhile.
            }
        }

        var started = time.GetTimestamp();
        while (others.Intersect(await OtherConnectionsAsync()).Any())
        {
            if (time.GetElapsedTime(started) > s_metadataLockLimit)
            {
                throw new MigrationFailedException(
                    ExitCode.NotRestored,
                    $"Connections to {Name} do not end: {await DescribeActivityAsync(root, cancellationToken)}. Restart the container "
                    + $"{settings.DatabaseContainer}, then start once more.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        }

        return others.Count;

        async Task<List<long>> OtherConnectionsAsync() =>
            [.. (await OthersAsync(root, cancellationToken)).Select(connection => connection.Id)];
    }

    public async Task<int> CountVisitorsAsync(MySqlConnection root, CancellationToken cancellationToken) =>
        (await OthersAsync(root, cancellationToken)).Count;

    /// <summary>What the server has been doing longest for others in this database; <see langword="null"/> if nothing.</summary>
    public async Task<string?> DescribeActivityAsync(MySqlConnection root, CancellationToken cancellationToken) =>
        (await OthersAsync(root, cancellationToken))
            .FirstOrDefault(connection => connection.Statement is not null)?.Statement;

    // Those of the application's user count wherever they are: a statement may name the database that it means.
    private Task<IReadOnlyList<ServerConnection>> OthersAsync(MySqlConnection root, CancellationToken cancellationToken) =>
        ServerConnection.OthersAsync(
            root, Name, cancellationToken, settings.Application.UserID == settings.Root.UserID ? "" : settings.Application.UserID);

    private Task<List<string>> BaseTablesAsync(MySqlConnection connection, CancellationToken cancellationToken) => connection.TextsAsync(
        $"""
        SELECT TABLE_NAME FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = @database AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND {OwnTables.AreNot("TABLE_NAME")}
        """,
        cancellationToken, ("@database", Name));

    public void Dispose() => _beside.Dispose();

    private async Task<bool> IsGrantedAsync(MySqlConnection root, string database, CancellationToken cancellationToken) =>
        await root.NumberAsync(
            """
            SELECT 1 FROM information_schema.SCHEMATA
            WHERE SCHEMA_NAME = @database AND (@user = 'root' OR EXISTS (SELECT 1 FROM mysql.db WHERE User = @user AND Db IN (@database, @pattern)))
            """,
            cancellationToken,
            ("@database", database), ("@pattern", MariaDBStatements.GrantPattern(database)), ("@user", settings.Application.UserID)) == 1;

    private async Task<MySqlConnection> ConnectAsync(
        MySqlConnectionStringBuilder target, string passwordKey, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step($"connect as {(target.UserID == "root" ? "root" : "application")}", "CONNECT");
        Exception? last = null;
        var started = time.GetTimestamp();
        try
        {
            return await pipelines.GetPipeline(Pipelines.Connect).ExecuteAsync(async token =>
            {
                var waited = time.GetElapsedTime(started);
                var connection = new MySqlConnection(target.ConnectionString);
                try
                {
                    await connection.OpenAsync(token);
                    _unanswered ??= last is null ? TimeSpan.Zero : waited;
                    return connection;
                }
                catch (Exception exception)
                {
                    last = exception is OperationCanceledException ? last : exception;
                    await connection.DisposeAsync();
                    throw;
                }
            }, cancellationToken);
        }
        catch (MySqlException exception) when (TransientCause.IsAccessDenied(exception))
        {
            throw new MigrationFailedException(
                ExitCode.Unreachable, AccessDenied.Explain(settings, target.UserID, passwordKey, exception.Message), exception);
        }
        catch (MySqlException exception) when (TransientCause.IsNotVerified(exception))
        {
            throw new MigrationFailedException(
                ExitCode.Unreachable,
                $"The server at {settings.Address} does not prove over TLS that it is {target.Server}: {CauseText.Of(exception)}."
                + $"{Environment.NewLine}Give the certificate of the authority that has signed the server's "
                + "(Uvlhub:Database:CertificateAuthority=FILE), name the server as its certificate does (Uvlhub:Database:Host), or, in a "
                + "network that is your own, do without (Uvlhub:Database:VerifyServer=false). Nothing was changed.",
                exception);
        }
        catch (Exception exception) when (exception is TimeoutRejectedException || TransientCause.WhenConnecting(exception))
        {
            var cause = CauseText.Of(last ?? exception);
            throw new MigrationFailedException(
                ExitCode.Unreachable,
                $"MariaDB did not answer at {settings.Address} within {settings.Options.Migrator.ConnectTimeout.TotalSeconds:0} s: {cause}."
                + $"{Environment.NewLine}{WaysOut()}",
                exception);
        }
    }

    private string WaysOut() => settings switch
    {
        { Checkout.Profile.HasDatabase: false } =>
            "It is a server elsewhere: see whether it runs and lets this machine in. Another host or port: Uvlhub:Database:Host, "
            + "Uvlhub:Database:Port "
            + "(MARIADB_HOSTNAME and MARIADB_PORT of the checkout's settings). Wait longer: Uvlhub:Migrator:ConnectTimeout.",
        { DatabaseContainer: { } container } =>
            $"See why: '{settings.Engine.Executable} logs {container}'; start it: './run'. Wait longer: Uvlhub:Migrator:ConnectTimeout; "
            + "another port: Uvlhub:Ports:Database.",
        _ => "See why in the log of 'db'. Wait longer: Uvlhub:Migrator:ConnectTimeout.",
    };

    [LoggerMessage(EventId = 210, Level = LogLevel.Information, Message = "Created the database {Database} for {User}")]
    private partial void LogDatabaseCreated(string database, string user);
}
