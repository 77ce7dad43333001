using System.Globalization;
using UvlhubAspire.AppHost.Engine;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Runs that are ended from outside, or by their limits.</summary>
public sealed class InterruptionTests(MariaDBFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "the migrator is killed while Flask works", Happens = "Flask ends with it; the next run ends the statement that MariaDB still works on", Data = "the revision before is there again")]
    [Fact(Timeout = 300_000)]
    public async Task A_killed_migrator_leaves_no_process_behind_in_the_toolbox()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        minihub.WriteRevision("005", "004", "op.execute('DO SLEEP(60)')");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            Assert.NotEmpty((await FlaskAsync(toolbox)).Output);
            runner.Kill();
        }

        for (var attempt = 0; (await FlaskAsync(toolbox)).Output.Length > 0; attempt++)
        {
            Assert.True(attempt < 50, "flask still runs ten seconds after the migrator was killed");
            await Task.Delay(200, Cancellation);
        }

        // MariaDB still works on the statement; the next run ends that, too, and does not wait for it.
        minihub.DeleteRevision("005");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var next = await minihub.SucceedAsync();
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(40), next.Output);
        Proof.Reads("was killed before it was done", next.Output);
        Assert.Equal("004", await minihub.RevisionAsync());
    }

    [Fault(FaultArea.Migration, "Ctrl+C in the middle of a migration", Happens = "everything is put back before it ends", Data = "every table is compared: as before")]
    [Fact(Timeout = 300_000)]
    public async Task Ctrl_c_puts_the_database_back_and_no_secret_was_in_an_argument_or_in_the_log()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        var before = await minihub.ContentAsync();
        minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "op.execute('DO SLEEP(60)')");
        using var runner = minihub.Start();
        List<string> arguments = [];
        while (!runner.Output.Contains("-> 005", StringComparison.Ordinal))
        {
            arguments.AddRange(CommandLines());
            await Task.Delay(5, Cancellation);
        }

        runner.Interrupt();
        var result = await runner.WaitAsync(Cancellation);

        Assert.Equal(130, result.ExitCode);
        Proof.Reads("Interrupted; putting things back", result.Output);
        Assert.Equal(before, await minihub.ContentAsync());
        Assert.Equal("interrupted", (await minihub.StatusAsync())["runs"]![0]!["result"]!.GetValue<string>());
        Assert.Empty((await FlaskAsync(toolbox)).Output);

        Assert.Contains(arguments, line => line.Contains(minihub.ToolboxName, StringComparison.Ordinal) && line.Contains("upgrade", StringComparison.Ordinal));
        foreach (var secret in new[] { minihub.Database.Password, minihub.Database.RootPassword })
        {
            Assert.DoesNotContain(secret, result.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(arguments, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fault(FaultArea.Migration, "Flask hangs, or is too slow", Happens = "ended at the limit, with what MariaDB was waiting for", Data = "every table is compared: as before")]
    [Fact(Timeout = 300_000)]
    public async Task A_revision_that_takes_too_long_is_stopped_with_the_cause_and_undone()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        var before = await minihub.ContentAsync();
        // Somebody's open transaction holds the table that the revision wants to change.
        await using var other = new MySqlConnector.MySqlConnection(minihub.Database.RootConnectionString);
        await other.OpenAsync(Cancellation);
        await using var reading = new MySqlConnector.MySqlCommand("START TRANSACTION; SELECT * FROM user", other);
        await reading.ExecuteNonQueryAsync(Cancellation);
        minihub.WriteRevision("005", "004", "op.create_table('first', sa.Column('id', sa.Integer()))", "op.drop_column('user', 'password_hash')");

        var result = await minihub.RunAsync("--Uvlhub:Migrator:FlaskTimeout=00:00:15");

        Assert.Equal(5, result.ExitCode);
        Proof.Reads("did not end within", result.Output);
        Assert.Contains("Waiting for table metadata lock", result.Output, StringComparison.Ordinal);
        Assert.Equal(before, await minihub.ContentAsync());
        Assert.Empty((await FlaskAsync(toolbox)).Output);
    }

    [Fault(FaultArea.Migration, "MariaDB is too busy in the middle of a migration", Happens = "everything is put back, and it is tried again", Data = "no row is lost")]
    [Fact(Timeout = 300_000)]
    public async Task A_transient_error_of_a_revision_is_undone_and_tried_again()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        // The first time another one holds the row: 1205, as a busy site causes it.
        minihub.WriteRevision(
            "005",
            "004",
            "import os",
            "op.add_column('user', sa.Column('nickname', sa.String(50)))",
            "if not os.path.exists('/tmp/tried'):",
            "    open('/tmp/tried', 'w').close()",
            "    from app import db",
            "    other = db.engine.connect()",
            "    other.exec_driver_sql('UPDATE user SET email = email')",
            "    op.execute('SET SESSION innodb_lock_wait_timeout = 1')",
            "op.execute(\"UPDATE user SET nickname = 'n'\")");

        var result = await minihub.SucceedAsync();

        Proof.Reads("1205", result.Output);
        Assert.Contains("was restored and verified", result.Output, StringComparison.Ordinal);
        Assert.Contains("trying again", result.Output, StringComparison.Ordinal);
        Assert.Equal("0", await minihub.TextAsync("SELECT COUNT(*) FROM user WHERE nickname IS NULL"));
    }

    private static IEnumerable<string> CommandLines()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out _)))
        {
            string line;
            try
            {
                line = File.ReadAllText(Path.Combine(process, "cmdline"));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It has ended.
                continue;
            }

            yield return line;
        }
    }

    private static Task<EngineResult> FlaskAsync(Toolbox toolbox) => toolbox.ExecAsync(Cancellation, "pgrep", "-f", "flask db upgrade");
}
