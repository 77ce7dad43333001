using Microsoft.Extensions.Logging;
using MySqlConnector;
using Polly.Registry;
using Polly.Timeout;
using UvlhubAspire.AppHost.MariaDB;
using UvlhubRunner.Resilience;
using UvlhubRunner.Settings;

namespace UvlhubRunner.Database;

/// <summary>The application's database on its server: how to reach it, and what state it is in.</summary>
/// <param name="settings">Where it is.</param>
/// <param name="pipelines">How to try again.</param>
/// <param name="logger">The log.</param>
internal sealed partial class UvlhubDatabase(
    RunnerSettings settings, ResiliencePipelineProvider<string> pipelines, ILogger<UvlhubDatabase> logger)
{
    /// <summary>The table in which Alembic keeps the revision.</summary>
    public const string VersionTable = "alembic_version";

    /// <summary>The database's name.</summary>
    public string Name => settings.Database;

    /// <summary>Opens a connection as <c>root</c>, waiting for the server if it is still starting.</summary>
    /// <exception cref="MigrationFailedException">It did not answer in time, or it refuses the password; the message says which, and what to do.</exception>
    public Task<MySqlConnection> ConnectAsRootAsync(CancellationToken cancellationToken) =>
        ConnectAsync(settings.Root, "MARIADB_ROOT_PASSWORD", cancellationToken);

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
        using var activity = Telemetry.Step("create databases", "CREATE DATABASE");
        foreach (var database in new[] { settings.Database, settings.Checkout.TestDatabase }.Distinct(StringComparer.Ordinal))
        {
            // Asked first, because a grant writes to the server's own tables even if it changes nothing.
            if (await IsGrantedAsync(root, database, cancellationToken))
            {
                continue;
            }

            foreach (var statement in MariaDBStatements.CreateDatabase(database, settings.Application.UserID is "root" ? null : settings.Application.UserID))
            {
                await ExecuteAsync(root, statement, cancellationToken);
            }

            LogDatabaseCreated(database, settings.Application.UserID);
        }
    }

    /// <summary>Reads the state of the schema.</summary>
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
        List<string> tables = [];
        await using (var command = new MySqlCommand(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = @database ORDER BY TABLE_NAME", connection))
        {
            command.Parameters.AddWithValue("@database", Name);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                tables.Add(reader.GetString(0));
            }
        }

        var hasVersionTable = tables.Remove(VersionTable);
        return new DatabaseFacts
        {
            Tables = tables,
            HasVersionTable = hasVersionTable,
            Revisions = hasVersionTable ? await ReadRevisionsAsync(connection, cancellationToken) : [],
        };
    }

    private async Task<List<string>> ReadRevisionsAsync(MySqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            $"SELECT version_num FROM {MariaDBStatements.QuoteIdentifier(Name)}.{VersionTable} ORDER BY version_num", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<string> revisions = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            revisions.Add(reader.GetString(0));
        }

        return revisions;
    }

    private async Task<bool> IsGrantedAsync(MySqlConnection root, string database, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            """
            SELECT 1 FROM information_schema.SCHEMATA
            WHERE SCHEMA_NAME = @database AND (@user = 'root' OR EXISTS (SELECT 1 FROM mysql.db WHERE User = @user AND Db IN (@database, @pattern)))
            """,
            root);
        command.Parameters.AddWithValue("@database", database);
        command.Parameters.AddWithValue("@pattern", MariaDBStatements.GrantPattern(database));
        command.Parameters.AddWithValue("@user", settings.Application.UserID);
        return await command.ExecuteScalarAsync(cancellationToken) is not null;
    }

    private static async Task ExecuteAsync(MySqlConnection connection, string statement, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<MySqlConnection> ConnectAsync(
        MySqlConnectionStringBuilder target, string passwordKey, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step($"connect as {(target.UserID == "root" ? "root" : "application")}", "CONNECT");
        Exception? last = null;
        try
        {
            return await pipelines.GetPipeline(Pipelines.Connect).ExecuteAsync(async token =>
            {
                var connection = new MySqlConnection(target.ConnectionString);
                try
                {
                    await connection.OpenAsync(token);
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
            throw new MigrationFailedException(ExitCode.Unreachable, AccessDenied.Explain(settings, target.UserID, passwordKey, exception.Message), exception);
        }
        catch (Exception exception) when (exception is TimeoutRejectedException || TransientCause.WhenConnecting(exception))
        {
            var cause = CauseText.Of(last ?? exception);
            throw new MigrationFailedException(
                ExitCode.Unreachable,
                $"MariaDB did not answer at {settings.Address} within {settings.Options.Migrator.ConnectTimeout.TotalSeconds:0} s: {cause}."
                + $"{Environment.NewLine}See why: '{settings.Engine.Executable} logs {settings.DatabaseContainer}'; start it: './run'. "
                + "Wait longer: Uvlhub:Migrator:ConnectTimeout; another port: Uvlhub:Ports:Database.",
                exception);
        }
    }

    [LoggerMessage(EventId = 210, Level = LogLevel.Information, Message = "Created the database {Database} for {User}")]
    private partial void LogDatabaseCreated(string database, string user);
}
