using System.Globalization;
using System.Text.Json.Nodes;
using MySqlConnector;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>
/// A copy of the bundled sample with a database, a toolbox and a snapshot folder of its own. A test changes the copy's
/// revisions and runs the runner on it.
/// </summary>
internal sealed class Minihub : IAsyncDisposable
{
    private static int s_number;
    private readonly TemporaryFolder _folder = new();
    private Toolbox? _toolbox;
    private Toolbox? _site;

    private Minihub(DatabasePlace database)
    {
        Database = database;
        ToolboxName = $"uvlhub-runner-tests-{System.Environment.ProcessId}-{Interlocked.Increment(ref s_number)}";
        Copy(RepositoryFolder.BundledSample, Checkout);
        Settings = new Dictionary<string, string>
        {
            ["Uvlhub__Path"] = Checkout,
            ["Uvlhub__Containers__Database"] = database.Container,
            ["Uvlhub__Containers__Toolbox"] = ToolboxName,
            ["Uvlhub__Snapshots__Path"] = Path.Combine(_folder.Path, "snapshots"),
            // What they have to fail in is the database itself; RehearsalTests has the rest.
            ["Uvlhub__Migrator__Rehearse"] = "never",
            ["ConnectionStrings__db"] = database.ConnectionString("root", database.RootPassword, database: ""),
            ["ConnectionStrings__uvlhubdb"] = database.ConnectionString(database.User, database.Password, database.Name),
        };
        WriteEnvironmentFile();
    }

    public DatabasePlace Database { get; }

    public string ToolboxName { get; }

    public string SiteName => $"{ToolboxName}-site";

    /// <summary>What the runner is started with; a test may change it.</summary>
    public Dictionary<string, string> Settings { get; }

    public string Checkout => Path.Combine(_folder.Path, "minihub");

    public string Versions => Path.Combine(Checkout, "migrations", "versions");

    /// <summary>The folder of this checkout's snapshots.</summary>
    public string Snapshots => Settings["Uvlhub__Snapshots__Path"] is var folder && Directory.Exists(folder)
        ? Directory.GetDirectories(folder).SingleOrDefault("")
        : "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Dictionary<string, string> ContainerEnvironment => new(UvlhubCheckout.Read(Checkout).Environment)
    {
        ["MARIADB_HOSTNAME"] = Database.Address,
        ["MARIADB_PORT"] = Database.Port.ToString(CultureInfo.InvariantCulture),
        ["WORKING_DIR"] = "/app/",
        ["PYTHONPYCACHEPREFIX"] = "/tmp/pycache",
        ["PYTHONUNBUFFERED"] = "1",
        ["PYTHONPATH"] = "/opt/uvlhub-aspire/startup",
    };

    /// <summary>A copy on a fresh database of the shared server.</summary>
    public static async Task<Minihub> CreateAsync(MariaDBFixture fixture, string? name = null, string? user = null) =>
        new(DatabasePlace.Of(await fixture.CreateDatabaseAsync(Cancellation, name, user)));

    /// <summary>A copy on a database of a server of the test's own.</summary>
    public static Minihub Create(DatabasePlace database) => new(database);

    /// <summary>Starts the toolbox; without it every attempt to run Python fails.</summary>
    /// <param name="hasStartupFolder">Whether its Python finds the AppHost's start-up folder.</param>
    public async Task<Toolbox> StartToolboxAsync(bool hasStartupFolder = true)
    {
        var environment = ContainerEnvironment;
        if (!hasStartupFolder)
        {
            environment.Remove("PYTHONPATH");
        }

        return _toolbox = await Toolbox.StartAsync(ToolboxName, Checkout, environment, Cancellation);
    }

    /// <summary>Starts the site, which waits for its schema; there is no nginx before it.</summary>
    /// <param name="command">What serves. Default: what does in Production.</param>
    /// <returns>Its address, which stays the same when the container is killed and started again.</returns>
    public async Task<Uri> StartSiteAsync(params string[] command)
    {
        var port = PinnedServer.FreePort();
        _site = await Toolbox.StartAsync(
            SiteName, Checkout, ContainerEnvironment, Cancellation, port,
            [
                "python", "/opt/uvlhub-aspire/startup/uvlhub_start.py", "--wait-for-schema", "--", .. command.Length > 0
                    ? command : ["gunicorn", "--bind", "0.0.0.0:5000", "--workers", "2", UvlhubCheckout.Read(Checkout).WsgiApplication],
            ]);
        return new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>Starts the runner.</summary>
    public RunnerProcess Start(params IEnumerable<string> words) => RunnerProcess.Start(Settings, words);

    /// <summary>Runs the runner to its end.</summary>
    public async Task<RunResult> RunAsync(params string[] words)
    {
        using var runner = Start(words);
        return await runner.WaitAsync(Cancellation);
    }

    /// <summary>Runs the runner, which must succeed.</summary>
    public async Task<RunResult> SucceedAsync(params string[] words)
    {
        var result = await RunAsync(words);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}:\n{result.Output}");
        return result;
    }

    /// <summary>What <c>status --json</c> says.</summary>
    public async Task<JsonNode> StatusAsync() => JsonNode.Parse((await RunAsync("status", "--json")).Answer)!;

    /// <summary>The state that <c>status</c> sees; what it says in words must not be empty.</summary>
    public async Task<string> StateAsync()
    {
        var status = await StatusAsync();
        Assert.NotEmpty(status["explanation"]!.GetValue<string>());
        return status["state"]!.GetValue<string>();
    }

    /// <summary>Writes a revision file.</summary>
    /// <param name="upgrade">The body of <c>upgrade</c>, Python statements.</param>
    public void WriteRevision(string id, string parent, params IEnumerable<string> upgrade) => File.WriteAllText(
        Path.Combine(Versions, $"{id}.py"),
        $"""
        "revision {id} of a test"
        import time

        import sqlalchemy as sa
        from alembic import op

        revision = "{id}"
        down_revision = "{parent}"
        branch_labels = None
        depends_on = None


        def upgrade():
        {string.Join('\n', upgrade.Select(line => $"    {line}"))}


        def downgrade():
            pass

        """);

    public void DeleteRevision(string id) => File.Delete(Path.Combine(Versions, $"{id}.py"));

    /// <summary>The revisions in <c>alembic_version</c>; <see langword="null"/> if there is no such table.</summary>
    public async Task<string?> RevisionAsync() => await TextAsync(
        $"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'alembic_version'") == "0"
        ? null
        : await TextAsync("SELECT COALESCE(GROUP_CONCAT(version_num ORDER BY version_num), '') FROM alembic_version");

    /// <summary>One value as text.</summary>
    public async Task<string> TextAsync(string sql)
    {
        await using var connection = new MySqlConnection(Database.RootConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new MySqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(Cancellation), CultureInfo.InvariantCulture)!;
    }

    /// <summary>Runs statements as root, in the database.</summary>
    public Task ExecuteAsync(string sql) => MariaDBServer.ExecuteAsync(Database.RootConnectionString, sql, Cancellation);

    /// <summary>All of the database's content.</summary>
    public Task<IReadOnlyList<string>> ContentAsync() => DatabaseContents.ReadAsync(Database.RootConnectionString);

    /// <summary>The database's schema alone.</summary>
    public Task<IReadOnlyList<string>> SchemaAsync() => DatabaseContents.ReadSchemaAsync(Database.RootConnectionString);

    /// <summary>How many rows each table has.</summary>
    public Task<IReadOnlyList<string>> CountsAsync() => DatabaseContents.CountRowsAsync(Database.RootConnectionString);

    /// <summary>Lets the runner work undisturbed and puts the database back: what a disturbed run is compared with.</summary>
    /// <returns>The content before and after, and the snapshot of before.</returns>
    public async Task<(IReadOnlyList<string> Before, IReadOnlyList<string> After, string Snapshot)> RehearseAsync()
    {
        var before = await ContentAsync();
        var snapshot = (await SucceedAsync("backup")).Answer.Trim();
        await SucceedAsync();
        var after = await ContentAsync();
        Assert.NotEqual(before, after);
        await SucceedAsync("restore", snapshot);
        Assert.Equal(before, await ContentAsync());
        return (before, after, snapshot);
    }

    /// <summary>How far the latest run has come, as the journal says; asked of the server, whose connections no run ends.</summary>
    public async Task<string> PhaseAsync()
    {
        await using var connection = new MySqlConnection(Settings["ConnectionStrings__db"]);
        await connection.OpenAsync(Cancellation);
        await using var command = new MySqlCommand(
            "SELECT phase FROM uvlhub_runner.runs WHERE database_name = @database ORDER BY id DESC LIMIT 1", connection);
        command.Parameters.AddWithValue("@database", Database.Name);
        return Convert.ToString(await command.ExecuteScalarAsync(Cancellation), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>The revision at which the application is let in, as its user reads it; <see langword="null"/> for none.</summary>
    public async Task<string?> GateAsync()
    {
        var user = new MySqlConnectionStringBuilder(Settings["ConnectionStrings__uvlhubdb"]) { Database = "" };
        await using var connection = new MySqlConnection(user.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new MySqlCommand("SELECT revision FROM uvlhub_runner.gate WHERE database_name = @database", connection);
        command.Parameters.AddWithValue("@database", Database.Name);
        return await command.ExecuteScalarAsync(Cancellation) as string;
    }

    public async ValueTask DisposeAsync()
    {
        if (_site is not null)
        {
            await _site.DisposeAsync();
        }

        if (_toolbox is not null)
        {
            // What Python wrote into the checkout belongs to the container's user.
            await _toolbox.ExecAsync(CancellationToken.None, "chmod", "-R", "a+rwX", "/app");
            await _toolbox.DisposeAsync();
        }

        _folder.Dispose();
    }

    private void WriteEnvironmentFile() => File.WriteAllText(
        Path.Combine(Checkout, ".env"),
        $"""
        FLASK_APP_NAME="MINIHUB(test)"
        FLASK_ENV=development
        DOMAIN=localhost
        MARIADB_HOSTNAME=db
        MARIADB_PORT=3306
        MARIADB_DATABASE={DotEnv.Quote(Database.Name)}
        MARIADB_TEST_DATABASE={DotEnv.Quote($"{Database.Name}_test")}
        MARIADB_USER={DotEnv.Quote(Database.User)}
        MARIADB_PASSWORD={DotEnv.Quote(Database.Password)}
        MARIADB_ROOT_PASSWORD={DotEnv.Quote(Database.RootPassword)}
        WORKING_DIR=/app/

        """);

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from)
            .Where(folder => !folder.EndsWith("__pycache__", StringComparison.Ordinal)))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }

        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
