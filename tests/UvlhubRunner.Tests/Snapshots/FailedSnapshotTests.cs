using CliWrap;
using CliWrap.Buffered;
using MySqlConnector;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

/// <summary>Where no whole snapshot can be made, there is none at all, and the user is told why.</summary>
public sealed class FailedSnapshotTests(MariaDBFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "the dump is killed")]
    [Fact(Timeout = 300_000)]
    public async Task A_dump_that_is_killed_leaves_nothing_behind()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FillAsync(scenario, megabytes: 12);
        var before = await scenario.ContentAsync();
        Task? killing = null;

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync(progress: new ImmediateProgress(_ =>
        {
            if (killing is null)
            {
                // The engine tells the end of a command only when the output of the other one is read on.
                killing = KillInContainerAsync(scenario, "mariadb-dump");
                Thread.Sleep(1000);
            }
        })));
        await killing!;

        Assert.Equal(SnapshotStore.SnapshotFailed, refusal.State);
        Proof.Reads("killed", refusal.Message);
        Proof.Happens("there is no snapshot, and no half of one", () => Assert.Empty(scenario.Files));
        Proof.Data("every row and the schema are compared: as before", before, await scenario.ContentAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_canceled_snapshot_leaves_no_file_and_no_program_in_the_container()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FillAsync(scenario, megabytes: 12);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scenario.Store.CreateAsync(
            scenario.Access, new SnapshotRequest(), new ImmediateProgress(_ => cancel.Cancel()), cancel.Token));

        Assert.Empty(scenario.Files);
        Assert.DoesNotContain(
            await ProgramsAsync(scenario), program => program.Contains($"--user={scenario.Database.User}", StringComparison.Ordinal));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_canceled_restore_leaves_no_program_in_the_container_and_a_mark_and_can_be_run_again()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FillAsync(scenario, megabytes: 12);
        await scenario.ExecuteAsync("CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES ('001')");
        var before = await scenario.ContentAsync();
        var snapshot = await scenario.TakeAsync();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scenario.Store.RestoreAsync(
            scenario.Access,
            snapshot,
            new ImmediateProgress(progress =>
            {
                if (progress.Step == "Loading")
                {
                    cancel.Cancel();
                }
            }),
            cancel.Token));

        Assert.DoesNotContain(
            await ProgramsAsync(scenario), program => program.Contains($"--user={scenario.Database.User}", StringComparison.Ordinal));
        Assert.Equal(snapshot.Name, await SnapshotStore.UnfinishedRestoreAsync(scenario.Access, Token));
        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync());
        Assert.Contains($"restore {snapshot.Name}", refusal.Remedy, StringComparison.Ordinal);

        await scenario.RestoreAsync(snapshot);
        Assert.Null(await SnapshotStore.UnfinishedRestoreAsync(scenario.Access, Token));
        Assert.Equal(before, await scenario.ContentAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_container_that_is_not_there_is_named()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.Store.CreateAsync(
            scenario.Access with { Container = "uvlhub-runner-tests-no-such" }, new SnapshotRequest(), null, Token));

        Assert.Contains("uvlhub-runner-tests-no-such", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(scenario.Files);
    }

    [Fact(Timeout = 300_000)]
    public async Task An_engine_that_is_not_there_is_named()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.Store.CreateAsync(
            scenario.Access with { Engine = "no-such-engine" }, new SnapshotRequest(), null, Token));

        Assert.Contains("no-such-engine", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(scenario.Files);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_folder_that_cannot_be_written_is_named()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await File.WriteAllTextAsync(scenario.Store.Folder, "a file where the folder should be", Token);

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync());

        Assert.Contains(scenario.Store.Folder, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Uvlhub:Snapshots:Path", refusal.Remedy, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task An_open_transaction_of_somebody_else_is_waited_for_and_then_named()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        await using var writer = new MySqlConnection(scenario.Database.ConnectionString);
        await writer.OpenAsync(Token);
        await using var transaction = await writer.BeginTransactionAsync(Token);
        await using var insert = new MySqlCommand("INSERT INTO t VALUES (1)", writer, transaction);
        await insert.ExecuteNonQueryAsync(Token);

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.Store.CreateAsync(
            scenario.Access with { LockTimeout = TimeSpan.FromSeconds(2) }, new SnapshotRequest(), null, Token));

        Assert.Contains($"connection {writer.ServerThread} of {scenario.Database.User}", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(scenario.Files);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_view_of_another_user_is_refused_to_who_could_not_restore_it_and_taken_for_root()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        await scenario.ExecuteAsRootAsync("CREATE VIEW roots AS SELECT * FROM t");
        var before = await scenario.ContentAsync();

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync());
        Assert.Contains("view roots of root@", refusal.Message, StringComparison.Ordinal);

        var root = scenario.Access with { ConnectionString = scenario.Database.RootConnectionString };
        var snapshot = await scenario.Store.CreateAsync(root, new SnapshotRequest(), null, Token);
        await scenario.Store.RestoreAsync(root, snapshot, null, Token);
        Assert.Equal(before, await scenario.ContentAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_row_that_the_server_would_not_take_back_is_refused_with_the_setting_that_helps()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        // 12 MB of bytes are 24 MB of hexadecimal digits; the server takes 16 MB.
        await scenario.ExecuteAsync(
            "CREATE TABLE t (id INT PRIMARY KEY, file LONGBLOB); INSERT INTO t VALUES (1, REPEAT(x'00ff', 6 * 1024 * 1024))");

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync());

        Assert.Contains("SET GLOBAL max_allowed_packet = 27262976", refusal.Remedy, StringComparison.Ordinal);
        Assert.Empty(scenario.Files);
    }

    [Fact(Timeout = 300_000)]
    public async Task An_earlier_restore_that_still_runs_is_waited_for()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)");
        var snapshot = await scenario.TakeAsync();
        await using var other = new MySqlConnection(scenario.Database.ConnectionString);
        await other.OpenAsync(Token);
        await using var take = new MySqlCommand($"SELECT GET_LOCK('{SnapshotLoader.LockNameOf(scenario.Database.Name)}', 0)", other);
        await take.ExecuteNonQueryAsync(Token);

        var restoring = scenario.RestoreAsync(snapshot);
        await Task.Delay(TimeSpan.FromSeconds(2), Token);
        Assert.False(restoring.IsCompleted);
        await other.CloseAsync();
        await restoring;

        Assert.Empty(await scenario.CompareAsync(snapshot));
    }

    [Fact(Timeout = 300_000)]
    public async Task No_password_is_among_the_arguments_of_any_process()
    {
        Assert.SkipUnless(Directory.Exists("/proc/1"), "reads /proc");
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FillAsync(scenario, megabytes: 8);
        List<string> seen = [];
        var look = new ImmediateProgress(_ => seen.AddRange(CommandLines()));

        var snapshot = await scenario.TakeAsync(progress: look);
        await scenario.RestoreAsync(snapshot, look);

        Assert.Contains(
            seen,
            line =>
                line.Contains("mariadb-dump", StringComparison.Ordinal) && line.Contains(scenario.Database.User, StringComparison.Ordinal));
        Assert.Contains(
            seen,
            line =>
                line.Contains("--binary-mode", StringComparison.Ordinal)
                && line.Contains(scenario.Database.User, StringComparison.Ordinal));
        Assert.DoesNotContain(seen, line => line.Contains(scenario.Database.Password, StringComparison.Ordinal));
    }

    /// <summary>Rows that hardly compress, made by the server.</summary>
    internal static Task FillAsync(SnapshotScenario scenario, int megabytes) => scenario.ExecuteAsync($"""
        CREATE TABLE filler (id INT PRIMARY KEY, word CHAR(40), bytes VARBINARY(1000));
        INSERT INTO filler SELECT seq, SHA1(seq), UNHEX(CONCAT({string.Join(", ", Enumerable.Range(0, 7).Select(part => $"SHA2(CONCAT(seq, {part}), 512)"))})) FROM seq_1_to_{megabytes * 1024 * 1024 / 500};
        """);

    private static IEnumerable<string> CommandLines()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc", "*")
            .Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            string? line = null;
            try
            {
                line = File.ReadAllText(Path.Combine(process, "cmdline"));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It has ended.
            }

            if (line is not null)
            {
                yield return line;
            }
        }
    }

    // The image has no ps.
    private static async Task<IReadOnlyList<string>> ProgramsAsync(SnapshotScenario scenario)
    {
        var result = await Cli.Wrap("docker")
            .WithArguments(
                ["exec", scenario.Database.Server.ContainerName, "sh", "-c", "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; "
                + "done 2>/dev/null || true"])
            .ExecuteBufferedAsync(Token);
        return result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static Task KillInContainerAsync(SnapshotScenario scenario, string program) => Cli.Wrap("docker")
        .WithArguments(
            ["exec", scenario.Database.Server.ContainerName, "sh", "-c", "for p in /proc/[0-9]*; do if tr '\\0' ' ' <$p/cmdline | grep -q "
            + "\"^$1 .*--user=$2 \"; then kill -9 ${p#/proc/}; fi; done 2>/dev/null || true", "sh", program, scenario.Database.User])
        .ExecuteAsync(Token).Task;
}
