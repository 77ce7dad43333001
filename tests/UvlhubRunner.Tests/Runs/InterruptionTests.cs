using System.Globalization;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Runs that are ended from outside, or by their limits.</summary>
public sealed class InterruptionTests(MariaDBFixture fixture)
{
    private const string Same = "every row and the schema are compared: as before";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "the migrator is killed while Flask works")]
    [Fact(Timeout = 300_000)]
    public async Task A_killed_migrator_leaves_no_process_behind_in_the_toolbox()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        var before = await minihub.ContentAsync();
        var idle = await ProcessesAsync(toolbox);
        // Not a SLEEP: from that MariaDB looks up now and then, whether there is somebody whom to answer.
        minihub.WriteRevision("005", "004", "op.execute('DO BENCHMARK(1000000000000, MD5(1))')");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            Assert.NotEmpty((await FlaskAsync(toolbox)).Output);
            runner.Kill();
        }

        await Proof.HappensAsync("Flask ends with it, and no process is left of it, not even a dead one", () => Eventually.IsAsync(
            () => ProcessesAsync(toolbox), left => left == idle, TimeSpan.FromSeconds(20), "flask to end after the migrator was killed"));

        // MariaDB still works on the statement; the next run ends that, too, and does not wait for it.
        minihub.DeleteRevision("005");
        const string Statement =
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE 'DO BENCHMARK%'";
        Assert.Equal("1", await minihub.TextAsync(Statement));
        var next = await minihub.SucceedAsync();
        var left = await minihub.TextAsync(Statement);
        Proof.Happens("the next run ends the statement that MariaDB still works on", () =>
        {
            Assert.Contains($"connections to {minihub.Database.Name} before putting it back", next.Output, StringComparison.Ordinal);
            Assert.Equal("0", left);
        });
        Proof.Reads("was killed before it was done", next.Output);
        Proof.Data(Same, before, await minihub.ContentAsync());
    }

    [Fault(FaultArea.Migration, "Ctrl+C in the middle of a migration")]
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

        var after = await minihub.ContentAsync();
        Assert.Equal(130, result.ExitCode);
        Proof.Reads("Interrupted; putting things back", result.Output);
        Proof.Happens(
            "everything is put back before it ends",
            () => Assert.Contains("was restored and verified", result.Output, StringComparison.Ordinal));
        Proof.Data(Same, before, after);
        Assert.Equal("interrupted", (await minihub.StatusAsync())["runs"]![0]!["result"]!.GetValue<string>());
        Assert.Empty((await FlaskAsync(toolbox)).Output);

        Assert.Contains(
            arguments,
            line => line.Contains(minihub.ToolboxName, StringComparison.Ordinal) && line.Contains("upgrade", StringComparison.Ordinal));
        foreach (var secret in new[] { minihub.Database.Password, minihub.Database.RootPassword })
        {
            Assert.DoesNotContain(secret, result.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(arguments, line => line.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fault(FaultArea.Migration, "Flask hangs, or is too slow")]
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
        minihub.WriteRevision(
            "005", "004", "op.create_table('first', sa.Column('id', sa.Integer()))", "op.drop_column('user', 'password_hash')");

        var result = await minihub.RunAsync("--Uvlhub:Migrator:FlaskTimeout=00:00:15");

        var after = await minihub.ContentAsync();
        Proof.Happens("ended at the limit", () => Assert.Equal(5, result.ExitCode));
        Proof.Reads("did not end within", result.Output);
        Proof.Happens(
            "with what MariaDB was waiting for",
            () => Assert.Contains("Waiting for table metadata lock", result.Output, StringComparison.Ordinal));
        Proof.Data(Same, before, after);
        Assert.Empty((await FlaskAsync(toolbox)).Output);
    }

    [Fault(FaultArea.Migration, "MariaDB is too busy in the middle of a migration")]
    [Fact(Timeout = 300_000)]
    public async Task A_transient_error_of_a_revision_is_undone_and_tried_again()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
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

        await ToolboxAsync(toolbox, "touch", "/tmp/tried");
        var (_, undisturbed, _) = await minihub.RehearseAsync();
        await ToolboxAsync(toolbox, "rm", "/tmp/tried");

        var result = await minihub.SucceedAsync();

        Proof.Reads("1205", result.Output);
        Proof.Happens(
            "everything is put back",
            () => Assert.Contains("was restored and verified", result.Output, StringComparison.Ordinal));
        Proof.Happens("and it is tried again", () => Assert.Contains("trying again", result.Output, StringComparison.Ordinal));
        Proof.Data("every row and the schema are compared: as after an undisturbed migration", undisturbed, await minihub.ContentAsync());
    }

    private static async Task ToolboxAsync(Toolbox toolbox, params string[] command)
    {
        var result = await toolbox.ExecAsync(Cancellation, command);
        Assert.True(result.Succeeded, result.Error);
    }

    private static IEnumerable<string> CommandLines()
    {
        foreach (var process in Directory.EnumerateDirectories("/proc")
            .Where(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out _)))
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

    // The names of all that are there, dead ones that nobody has asked after included.
    // By the shell alone: a process of the question's own would be in the answer, under the one name or the other.
    private static async Task<string> ProcessesAsync(Toolbox toolbox) => string.Join(' ', (await toolbox.ExecAsync(
        Cancellation, "sh", "-c", "for file in /proc/[0-9]*/comm; do read -r name < $file && echo $name; done"))
        .Output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

    private static Task<EngineResult> FlaskAsync(Toolbox toolbox) => toolbox.ExecAsync(Cancellation, "pgrep", "-f", "flask db upgrade");
}
