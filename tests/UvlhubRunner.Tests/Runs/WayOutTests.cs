using UvlhubAspire.UvlhubRunner.Tests.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Whatever a run has left, and whatever has become of its snapshot: there is a verb that gets the site up again.</summary>
public sealed class WayOutTests(MariaDBFixture fixture)
{
    private const string KeptDatabases =
        "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'uvlhub\\_runner\\_kept\\_%'";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "the snapshot of a killed run is gone")]
    [Fact(Timeout = 300_000)]
    public async Task Without_its_snapshot_a_killed_run_is_replaced_by_another_snapshot_or_by_a_reset()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        var good = (await minihub.SucceedAsync("backup")).Answer.Trim();
        var before = await minihub.ContentAsync();
        await minihub.ExecuteAsync("INSERT INTO user (email, password_hash, created_at) VALUES ('new@example.com', '', NOW())");

        await KillAsync(minihub);
        var stuck = await minihub.RunAsync();
        Assert.Equal(6, stuck.ExitCode);
        Proof.Reads("restore NAME", stuck.Output);
        Assert.NotEmpty((await minihub.SucceedAsync("backup")).Answer);
        var restored = await minihub.SucceedAsync("restore", good);
        Proof.Happens("'restore' of another one takes its place", () =>
            Assert.Contains("takes the place of", restored.Output, StringComparison.Ordinal));
        Proof.Data("every row and the schema are compared: as in that snapshot", before, await minihub.ContentAsync());
        Assert.Equal("at-head", await minihub.StateAsync());

        await KillAsync(minihub);
        await minihub.SucceedAsync("reset", "--yes");
        await Proof.HappensAsync("and so does 'reset --yes'", async () => Assert.Equal("at-head", await minihub.StateAsync()));

        await KillAsync(minihub);
        var left = await minihub.ContentAsync();
        await minihub.SucceedAsync("migrate", "--as-is");
        Proof.Data(
            "'migrate --as-is' goes on from what the run has left: every row and the schema are there",
            left, await minihub.ContentAsync());
        Assert.Equal("at-head", await minihub.StateAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_part_of_a_snapshot_is_not_taken_for_a_database()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        var snapshot = (await minihub.SucceedAsync("backup")).Answer.Trim();
        var before = await minihub.ContentAsync();
        // As a restore leaves it that is cut off when its entry in the journal is closed.
        await minihub.ExecuteAsync(
            $"DROP TABLE download; CREATE TABLE uvlhub_runner_restore (snapshot VARCHAR(255) NOT NULL) AS SELECT '{snapshot}' AS snapshot");

        var refused = await minihub.RunAsync();

        Assert.Equal(3, refused.ExitCode);
        Assert.Equal("partly-restored", await minihub.StateAsync());
        Assert.Contains($"restore {snapshot}", refused.Output, StringComparison.Ordinal);
        await minihub.SucceedAsync("restore", snapshot);
        Assert.Equal(before, await minihub.ContentAsync());
        Assert.Equal("at-head", await minihub.StateAsync());
    }

    [Fault(FaultArea.Migration, "the snapshots' disk lets nothing be written any more while a revision runs")]
    [Fact(Timeout = 300_000)]
    public async Task A_migration_that_is_done_is_not_undone_for_what_fails_after_it()
    {
        await using var disk = await SmallDisk.MountAsync(megabytes: 64);
        await using var minihub = await Minihub.CreateAsync(fixture);
        minihub.Settings["Uvlhub__Snapshots__Path"] = disk.Path;
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        minihub.WriteRevision("005", "004", "op.execute(\"UPDATE user SET email = CONCAT('x', email)\")", "time.sleep(4)");
        var (_, after, _) = await minihub.RehearseAsync();

        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            await disk.SetWritableAsync(false);
            var ended = await runner.WaitAsync(Cancellation);
            Assert.DoesNotContain("   at ", ended.Output, StringComparison.Ordinal);
            Proof.Reads("Read-only file system", ended.Output);
        }

        await disk.SetWritableAsync(true);
        await Proof.HappensAsync("the database stays at the new revision", async () => Assert.Equal("005", await minihub.RevisionAsync()));
        Proof.Data("every row and the schema are compared: as after the migration", after, await minihub.ContentAsync());
        await minihub.SucceedAsync();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_reset_keeps_the_databases_collation_and_its_users_rights()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        await minihub.ExecuteAsync($"ALTER DATABASE {minihub.Database.Name} COLLATE utf8mb4_spanish_ci");
        const string Collation = "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = DATABASE()";

        await minihub.SucceedAsync("reset", "--yes");

        Assert.Equal("utf8mb4_spanish_ci", await minihub.TextAsync(Collation));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_restore_gives_back_the_rights_on_single_routines()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        var (reader, gone) = ($"{minihub.Database.User}_reader", $"{minihub.Database.User}_gone");
        var grants = $"SELECT GROUP_CONCAT(CONCAT_WS(' ', User, Routine_name, Routine_type, Proc_priv) ORDER BY Routine_name, User) "
            + "FROM mysql.procs_priv WHERE Db = DATABASE()";
        await minihub.ExecuteAsync(
            $"CREATE TABLE t (id INT PRIMARY KEY); CREATE FUNCTION one() RETURNS INT RETURN 1; CREATE PROCEDURE `do ``it`() SELECT 1; "
            + $"CREATE USER {reader}, {gone}; GRANT EXECUTE ON FUNCTION one TO {reader} WITH GRANT OPTION; "
            + $"GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE `do ``it` TO {reader}; GRANT EXECUTE ON FUNCTION one TO {gone}");
        var snapshot = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await minihub.ExecuteAsync($"INSERT INTO t VALUES (1); DROP USER {gone}");
        var before = await minihub.TextAsync(grants);
        Assert.Equal(2, before.Split(',').Count(grant => grant.StartsWith(reader, StringComparison.Ordinal)));

        await minihub.SucceedAsync("restore", snapshot);

        Assert.Equal(before, await minihub.TextAsync(grants));
        await minihub.ExecuteAsync($"DROP USER {reader}");
    }

    [Fault(FaultArea.Migration, "the server ends connections that are idle while a revision runs")]
    [Fact(Timeout = 300_000)]
    public async Task A_server_that_ends_idle_connections_ends_no_migration()
    {
        await using var server = await MariaDBServer.StartAsync(Cancellation, "--wait-timeout=8", "--interactive-timeout=8");
        await using var minihub = Minihub.Create(DatabasePlace.Of(await server.CreateDatabaseAsync(Cancellation)));
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "op.execute('DO SLEEP(16)')");

        var result = await minihub.SucceedAsync();

        Proof.Happens("the lock stays, and the migration ends the first time", () =>
            Assert.DoesNotContain("trying again", result.Output, StringComparison.Ordinal));
        Assert.Equal("005", await minihub.RevisionAsync());
    }

    [Fault(FaultArea.Migration, "a revision is killed that leaves a view behind which is not valid")]
    [Fact(Timeout = 300_000)]
    public async Task What_cannot_be_dumped_is_kept_under_another_name_and_the_database_put_back()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        await minihub.ExecuteAsync("CREATE VIEW titles AS SELECT title FROM feature_model");
        var before = await minihub.ContentAsync();
        var kept = await minihub.TextAsync(KeptDatabases);
        minihub.WriteRevision(
            "005", "004", "op.execute('ALTER TABLE feature_model DROP INDEX IF EXISTS title, DROP COLUMN title')", "time.sleep(60)");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            await Task.Delay(TimeSpan.FromSeconds(2), Cancellation);
            runner.Kill();
            await runner.WaitAsync(Cancellation);
        }

        minihub.DeleteRevision("005");

        var next = await minihub.SucceedAsync();

        Proof.Reads("are kept in the database uvlhub_runner_kept_", next.Output);
        await Proof.HappensAsync(
            "the next run puts the tables aside by renaming them", async () => Assert.NotEqual(kept, await minihub.TextAsync(KeptDatabases)));
        Proof.Data("every row and the schema are compared: as before", before, await minihub.ContentAsync());
    }

    [Fault(FaultArea.Migration, "the snapshots' disk is full when a database has to be put back")]
    [Fact(Timeout = 300_000)]
    public async Task A_full_disk_does_not_keep_a_database_from_being_put_back()
    {
        await using var disk = await SmallDisk.MountAsync(megabytes: 64);
        await using var minihub = await Minihub.CreateAsync(fixture);
        minihub.Settings["Uvlhub__Snapshots__Path"] = disk.Path;
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        var before = await minihub.ContentAsync();
        minihub.WriteRevision(
            "005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "time.sleep(3)", "raise ValueError('no')");
        using var runner = minihub.Start();
        await runner.WaitForAsync("-> 005", Cancellation);
        await File.WriteAllBytesAsync(Path.Combine(disk.Path, "filler"), new byte[40 * 1024 * 1024], Cancellation);

        var result = await runner.WaitAsync(Cancellation);

        Proof.Happens("put back all the same", () => Assert.Equal(5, result.ExitCode));
        Proof.Reads("are kept in the database uvlhub_runner_kept_", result.Output);
        Proof.Data("every row and the schema are compared: as before", before, await minihub.ContentAsync());
    }

    [Fault(FaultArea.Migration, "a snapshot that is to be restored is damaged")]
    [Fact(Timeout = 300_000)]
    public async Task A_damaged_snapshot_is_refused_before_anything_is_touched()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
        var name = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await File.AppendAllTextAsync(Path.Combine(minihub.Snapshots, $"{name}.sql.gz"), "x", Cancellation);
        await minihub.ExecuteAsync("INSERT INTO t VALUES (2)");
        var before = await minihub.ContentAsync();

        var result = await minihub.RunAsync("restore", name);

        Proof.Happens("refused", () => Assert.Equal(3, result.ExitCode));
        Proof.Reads("is damaged", result.Output);
        Proof.Data("every row and the schema are compared: as before", before, await minihub.ContentAsync());
        await minihub.SucceedAsync("backup");
    }

    // A migration is killed while it changes, and loses its snapshot.
    private static async Task KillAsync(Minihub minihub)
    {
        minihub.WriteRevision("005", "004", "op.create_table('x', sa.Column('id', sa.Integer()))", "time.sleep(60)");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
            runner.Kill();
            await runner.WaitAsync(Cancellation);
        }

        var snapshot = (await minihub.StatusAsync())["runs"]![0]!["snapshot"]!.GetValue<string>();
        foreach (var file in Directory.GetFiles(minihub.Snapshots, $"{snapshot}.*"))
        {
            File.Delete(file);
        }

        minihub.DeleteRevision("005");
    }
}
