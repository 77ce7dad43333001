using System.IO.Compression;
using System.Text;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>A server that gives one user one database and five connections, and nothing else.</summary>
public sealed class HostedDatabaseTests(MariaDBFixture fixture)
{
    private const int Allowed = 5;
    private const string Own = "uvlhub_runner_";
    private const string Untouched = "every row and the schema are compared: as before";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "a revision fails on a server that gives one user one database")]
    [Fact(Timeout = 400_000)]
    public async Task One_user_with_one_database_and_five_connections_is_all_that_is_needed()
    {
        await using var minihub = await HostedAsync();
        await using var site = await minihub.StartToolboxAsync();
        // The site is there from the beginning, and waits.
        var letIn = StartSiteAsync(site);
        await using var count = Connections.Watch(minihub);

        await minihub.SucceedAsync();
        Assert.Equal((0, "let in"), ((await letIn).ExitCode, (await letIn).Output));
        Assert.Equal("004", await minihub.TextAsync($"SELECT revision FROM {Own}gate"));
        Assert.Equal("at-head", await minihub.StateAsync());
        Assert.DoesNotContain(Own, (await minihub.StatusAsync())["tables"]!.ToJsonString(), StringComparison.Ordinal);
        var before = await ApplicationsAsync(minihub);

        // Two statements of DDL and one of data are done when it fails.
        minihub.WriteRevision(
            "005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "op.execute('DELETE FROM download')",
            "op.create_table('user', sa.Column('id', sa.Integer()))");
        var plan = await minihub.SucceedAsync("plan", "--rehearse");
        Proof.Reads("A rehearsal is not possible: ", plan.Answer);
        Assert.DoesNotContain(Own, plan.Answer, StringComparison.Ordinal);
        var failed = await minihub.RunAsync();
        Assert.Equal(5, failed.ExitCode);
        Proof.Happens("said not to be rehearsed, and why", () => Assert.Contains(
            $"gives '{minihub.Database.User}' one database and no second one for a copy", failed.Output, StringComparison.Ordinal));
        Proof.Data(Untouched, before, await ApplicationsAsync(minihub));

        minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        await minihub.SucceedAsync();
        var snapshot = (await minihub.StatusAsync())["runs"]![0]!["snapshot"]!.GetValue<string>();
        var runs = await minihub.TextAsync($"SELECT COUNT(*) FROM {Own}runs");
        await minihub.SucceedAsync("restore", snapshot);
        Assert.Equal(before, await ApplicationsAsync(minihub));
        await minihub.SucceedAsync("reset", "--yes");
        Assert.Equal("at-head", await minihub.StateAsync());
        await Proof.HappensAsync("the journal outlives a restore and a reset", async () => Assert.InRange(
            int.Parse(await minihub.TextAsync($"SELECT COUNT(*) FROM {Own}runs"), null), int.Parse(runs, null) + 3, int.MaxValue));

        Assert.All(Directory.GetFiles(minihub.Snapshots, "*.sql.gz"), file =>
            Assert.DoesNotContain(Own, Text(file), StringComparison.Ordinal));
        Proof.Happens($"with at most {Allowed - 1} connections at once, and the site's one that waits", () =>
            Assert.InRange(count.Most, 3, Allowed));
        // Nothing of it stands anywhere else.
        Assert.Equal("0", await ElsewhereAsync(minihub));
    }

    [Fault(FaultArea.Migration, "what a killed revision has left cannot be dumped, on a server that gives one user one database")]
    [Fact(Timeout = 300_000)]
    public async Task What_cannot_be_dumped_is_kept_in_the_same_database_under_names_that_nobody_takes_for_the_applications()
    {
        await using var minihub = await HostedAsync();
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        await ExecuteAsUserAsync(
            minihub,
            """
            CREATE TABLE parts (id INT PRIMARY KEY, price FLOAT, whole INT, CONSTRAINT whole_of FOREIGN KEY (whole) REFERENCES parts (id));
            INSERT INTO parts VALUES (1, 16777217, NULL);
            CREATE VIEW titles AS SELECT title FROM feature_model;
            """);
        var before = await ApplicationsAsync(minihub);
        minihub.WriteRevision(
            "005", "004", "op.execute('ALTER TABLE feature_model DROP INDEX IF EXISTS title, DROP COLUMN title')",
            "op.execute('INSERT INTO parts VALUES (2, 1, 1)')", "op.get_bind().commit()", "time.sleep(60)");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
            runner.Kill();
            await runner.WaitAsync(Cancellation);
        }

        minihub.DeleteRevision("005");

        var next = await minihub.SucceedAsync();

        Proof.Reads($"are kept under names that begin with {Own}kept_", next.Output);
        Proof.Data(Untouched, before, await ApplicationsAsync(minihub));
        var kept = await minihub.TextAsync(
            $"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '{Own}kept%parts'");
        await Proof.HappensAsync("what it has left is kept in the same database, under a name that is said", async () =>
            Assert.Equal("2", await minihub.TextAsync($"SELECT COUNT(*) FROM {kept}")));
        // They stand in the way of nothing that comes after.
        var backup = (await minihub.SucceedAsync("backup")).Answer.Trim();
        Assert.DoesNotContain(Own, Text(Path.Combine(minihub.Snapshots, $"{backup}.sql.gz")), StringComparison.Ordinal);
        await minihub.SucceedAsync("restore", backup);
        Assert.Equal(before, await ApplicationsAsync(minihub));
        Assert.Equal("2", await minihub.TextAsync($"SELECT COUNT(*) FROM {kept}"));
    }

    [Fact(Timeout = 120_000)]
    public async Task Tables_without_a_revision_are_refused_with_the_ways_out()
    {
        await using var minihub = await HostedAsync();
        await ExecuteAsUserAsync(minihub, "CREATE TABLE user (email VARCHAR(255)); INSERT INTO user VALUES ('one@example.com')");

        var result = await minihub.RunAsync();

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("no second database in which to make the tables", result.Output, StringComparison.Ordinal);
        Assert.Contains("flask db stamp R", result.Output, StringComparison.Ordinal);
    }

    [Fault(FaultArea.Migration, "others have taken all of the connections that a hosted database gives")]
    [Fact(Timeout = 120_000)]
    public async Task A_connection_that_is_not_to_be_had_is_waited_for()
    {
        await using var minihub = await HostedAsync();
        await ExecuteAsUserAsync(minihub, "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
        List<MySqlConnection> others = [];
        for (var number = 0; number < Allowed; number++)
        {
            others.Add(new MySqlConnection(minihub.Settings["ConnectionStrings__uvlhubdb"]));
            await others[^1].OpenAsync(Cancellation);
        }

        using var runner = minihub.Start("backup");
        // For the lock, then for the two that read and for the program that dumps.
        foreach (var other in others)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), Cancellation);
            await other.DisposeAsync();
        }

        var result = await runner.WaitAsync(Cancellation);
        Proof.Happens("waited for", () => Assert.True(result.ExitCode == 0, result.Output));
        Proof.Reads("max_user_connections", result.Output);
    }

    // As its owner would give it: all rights on one database, and five connections.
    private async Task<Minihub> HostedAsync()
    {
        var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync($"ALTER USER {minihub.Database.User} WITH MAX_USER_CONNECTIONS {Allowed}");
        minihub.Settings["ConnectionStrings__db"] = minihub.Settings["ConnectionStrings__uvlhubdb"];
        var file = Path.Combine(minihub.Checkout, ".env");
        var text = await File.ReadAllTextAsync(file, Cancellation);
        await File.WriteAllLinesAsync(
            file, text.Split('\n').Where(line => !line.StartsWith("MARIADB_ROOT_PASSWORD", StringComparison.Ordinal)), Cancellation);
        minihub.Settings["Uvlhub__Migrator__Rehearse"] = "always";
        return minihub;
    }

    private static async Task<(int ExitCode, string Output)> StartSiteAsync(Toolbox site)
    {
        var result = await site.ExecAsync(
            Cancellation, "env", "UVLHUB_GATE=database", "python3", "/opt/uvlhub-aspire/startup/uvlhub_start.py", "--wait-for-schema", "--",
            "echo", "let in");
        return (result.ExitCode, result.Output);
    }

    private static async Task<IReadOnlyList<string>> ApplicationsAsync(Minihub minihub) =>
        [.. (await minihub.ContentAsync()).Where(line => !line.Contains(Own, StringComparison.Ordinal))];

    private static Task ExecuteAsUserAsync(Minihub minihub, string sql) =>
        MariaDBServer.ExecuteAsync(minihub.Settings["ConnectionStrings__uvlhubdb"], sql, Cancellation);

    private static Task<string> ElsewhereAsync(Minihub minihub) => minihub.TextAsync(
        $"SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '%{minihub.Database.Name}%' "
        + $"AND SCHEMA_NAME <> '{minihub.Database.Name}'");

    private static string Text(string file)
    {
        using var unpacked = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        using var reader = new StreamReader(unpacked, Encoding.Latin1);
        return reader.ReadToEnd();
    }

    /// <summary>How many connections a user has, looked at all the time.</summary>
    private sealed class Connections : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Task _watching;

        private Connections(Minihub minihub) => _watching = Task.Run(() => WatchAsync(minihub));

        /// <summary>The most at once.</summary>
        public long Most { get; private set; }

        public static Connections Watch(Minihub minihub) => new(minihub);

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _watching;
            _end.Dispose();
        }

        private async Task WatchAsync(Minihub minihub)
        {
            await using var connection = new MySqlConnection(
                minihub.Database.ConnectionString("root", minihub.Database.RootPassword, database: ""));
            await connection.OpenAsync(CancellationToken.None);
            await using var command = new MySqlCommand(
                $"SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '{minihub.Database.User}'", connection);
            while (!_end.IsCancellationRequested)
            {
                Most = Math.Max(Most, Convert.ToInt64(await command.ExecuteScalarAsync(CancellationToken.None), null));
                await Task.Delay(5, CancellationToken.None);
            }
        }
    }
}
