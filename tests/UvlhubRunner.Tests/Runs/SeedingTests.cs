using System.Text.RegularExpressions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

public sealed partial class SeedingTests(MariaDBFixture fixture, SeedingTests.WholeRun whole) : IClassFixture<SeedingTests.WholeRun>
{
    private const string Seeders = "core/seeding.py";
    private const string FirstFlush = "            db.session.flush()\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "the seeder fails")]
    [Fact(Timeout = 300_000)]
    public async Task A_failed_seeding_leaves_an_empty_database_and_the_next_run_does_all_of_it()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        var empty = await minihub.ContentAsync();
        var seeding = Path.Combine(minihub.Checkout, Seeders);
        var source = await File.ReadAllTextAsync(seeding, Cancellation);
        // It commits half of the rows and breaks, as uvlhub's own seeders can.
        await File.WriteAllTextAsync(
            seeding,
            source.Replace(
                FirstFlush, "            db.session.commit()\n            raise ValueError('half seeded')\n", StringComparison.Ordinal),
            Cancellation);

        var failed = await minihub.RunAsync();

        Assert.Equal(5, failed.ExitCode);
        Assert.Contains("ValueError: half seeded", failed.Output, StringComparison.Ordinal);
        var after = await minihub.ContentAsync();
        Proof.Happens("what the migration and half a seeding made is gone: the database is empty again", () => Assert.Equal(empty, after));
        Assert.Equal("empty", await minihub.StateAsync());

        // uvlhub's command catches the error, says so, and ends with exit code 0.
        var command = Path.Combine(minihub.Checkout, "rosemary", "cli.py");
        var commandSource = await File.ReadAllTextAsync(command, Cancellation);
        await File.WriteAllTextAsync(
            command,
            commandSource.Replace(
                "    click.echo(\"Seeded.\")\n", "    click.echo(\"Error running seeder UserSeeder: boom\")\n", StringComparison.Ordinal),
            Cancellation);
        await File.WriteAllTextAsync(seeding, source, Cancellation);
        var silent = await minihub.RunAsync();
        Assert.Equal(5, silent.ExitCode);
        Proof.Reads("Error running seeder UserSeeder: boom", silent.Output);
        Assert.Equal("empty", await minihub.StateAsync());

        await File.WriteAllTextAsync(command, commandSource, Cancellation);
        await minihub.SucceedAsync();
        await Proof.HappensAsync("the next run does all of it", async () => Assert.Equal(whole.Content, await WholeRun.ReadAsync(minihub)));
    }

    [Fault(FaultArea.Migration, "the migrator is killed between migration and seeding")]
    [Fact(Timeout = 300_000)]
    public async Task Killed_between_migration_and_seeding_the_next_run_seeds_once()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        // The moment between is that of two entries in the journal. The server holds the second one back until it notices
        // that nobody waits for it any more, and never makes it.
        var trigger = $"uvlhub_runner.hold_{minihub.Database.Name}";
        await minihub.ExecuteAsync(
            $"""
            CREATE TRIGGER {trigger} BEFORE UPDATE ON uvlhub_runner.runs FOR EACH ROW
              IF OLD.database_name = '{minihub.Database.Name}' AND OLD.phase = 'SeedDue' AND NEW.phase = 'Changing' THEN
                DO SLEEP(120);
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the test lets nobody by';
              END IF
            """);
        try
        {
            using var runner = minihub.Start();
            await Eventually.IsAsync(minihub.PhaseAsync, phase => phase == "SeedDue", what: "the migration to be done");
            runner.Kill();
            await runner.WaitAsync(Cancellation);
        }
        finally
        {
            await minihub.ExecuteAsync($"DROP TRIGGER {trigger}");
        }

        Assert.Equal("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));
        Assert.Equal("seed-due", await minihub.StateAsync());

        var result = await minihub.SucceedAsync();

        Proof.Reads("seeding now", result.Output);
        Proof.Happens("the next run seeds", () => Assert.Contains("Running 'rosemary db:seed", result.Output, StringComparison.Ordinal));
        await Proof.DataAsync(
            "each table has as many rows as a whole run makes",
            async () => Assert.Equal(whole.Content, await WholeRun.ReadAsync(minihub)));
        var again = await minihub.SucceedAsync();
        Proof.Happens("once", () => Assert.Contains("nothing to do", again.Output, StringComparison.Ordinal));
        Assert.Equal(whole.Content, await WholeRun.ReadAsync(minihub));
    }

    [Fault(FaultArea.Migration, "the migrator is killed while it seeds")]
    [Fact(Timeout = 300_000)]
    public async Task Killed_while_it_seeds_the_next_run_does_all_of_it_again()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        // It commits half of the rows and takes its time.
        var seeding = Path.Combine(minihub.Checkout, Seeders);
        var source = await File.ReadAllTextAsync(seeding, Cancellation);
        await File.WriteAllTextAsync(
            seeding,
            source.Replace(
                FirstFlush, "            db.session.commit()\n            import time\n            time.sleep(60)\n",
                StringComparison.Ordinal),
            Cancellation);
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("Running 'rosemary db:seed", Cancellation);
            await Eventually.IsAsync(() => minihub.TextAsync("SELECT COUNT(*) FROM user"), users => users != "0", what: "the first rows");
            runner.Kill();
            await runner.WaitAsync(Cancellation);
        }

        await File.WriteAllTextAsync(seeding, source, Cancellation);
        var next = await minihub.SucceedAsync();

        Proof.Reads("was killed before it was done", next.Output);
        Proof.Happens("the next run empties the database, migrates and seeds", () =>
        {
            Assert.Contains("Running 'flask db upgrade'", next.Output, StringComparison.Ordinal);
            Assert.Contains("Running 'rosemary db:seed", next.Output, StringComparison.Ordinal);
        });
        await Proof.DataAsync(
            "each table has as many rows as a whole run makes",
            async () => Assert.Equal(whole.Content, await WholeRun.ReadAsync(minihub)));
    }

    [Fact(Timeout = 300_000)]
    public async Task The_seed_verb_undoes_a_seeding_that_fails_and_production_is_not_seeded_by_itself()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        var environment = Path.Combine(minihub.Checkout, ".env");
        await File.WriteAllTextAsync(
            environment,
            (await File.ReadAllTextAsync(environment, Cancellation)).Replace(
                "FLASK_ENV=development", "FLASK_ENV=production", StringComparison.Ordinal),
            Cancellation);

        Assert.Equal(3, (await minihub.RunAsync("seed")).ExitCode);
        await minihub.SucceedAsync();
        Assert.Equal("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));

        await minihub.SucceedAsync("seed");
        Assert.NotEqual("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));

        // The same rows a second time: MariaDB refuses them.
        var before = await minihub.ContentAsync();
        var again = await minihub.RunAsync("seed");
        Assert.Equal(5, again.ExitCode);
        Assert.Contains("1062", again.Output, StringComparison.Ordinal);
        // A counter has moved on even for a row that was refused; the rows are the same.
        Assert.Equal(before.Select(WithoutCounter), (await minihub.ContentAsync()).Select(WithoutCounter));
    }

    [GeneratedRegex(@"AUTO_INCREMENT=""\d+""")]
    private static partial Regex Counter();

    private static string WithoutCounter(string line) => Counter().Replace(line, "");

    /// <summary>What an undisturbed run makes of an empty database: the schema, and the number of each table's rows.</summary>
    public sealed class WholeRun(MariaDBFixture fixture) : IAsyncLifetime
    {
        internal IReadOnlyList<string> Content { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            await using var minihub = await Minihub.CreateAsync(fixture);
            await minihub.StartToolboxAsync();
            await minihub.SucceedAsync();
            Content = await ReadAsync(minihub);
        }

        // The two are in databases of two names.
        internal static async Task<IReadOnlyList<string>> ReadAsync(Minihub minihub)
        {
            var schema = await minihub.SchemaAsync();
            return [.. schema.Select(line => line.Replace(minihub.Database.Name, "", StringComparison.Ordinal)), .. await minihub.CountsAsync()];
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
