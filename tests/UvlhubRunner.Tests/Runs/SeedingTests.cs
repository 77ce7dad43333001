using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

public sealed class SeedingTests(MariaDBFixture fixture)
{
    private const string Seeders = "core/seeding.py";

    [Fault(FaultArea.Migration, "the seeder fails", Happens = "the database is empty again, and the next run does all of it", Data = "there was none yet")]
    [Fact(Timeout = 300_000)]
    public async Task A_failed_seeding_leaves_an_empty_database_and_the_next_run_does_all_of_it()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        var seeding = Path.Combine(minihub.Checkout, Seeders);
        var source = await File.ReadAllTextAsync(seeding, TestContext.Current.CancellationToken);
        // It commits half of the rows and breaks, as uvlhub's own seeders can.
        await File.WriteAllTextAsync(
            seeding,
            source.Replace("            db.session.flush()\n", "            db.session.commit()\n            raise ValueError('half seeded')\n", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);

        var failed = await minihub.RunAsync();

        Assert.Equal(5, failed.ExitCode);
        Assert.Contains("ValueError: half seeded", failed.Output, StringComparison.Ordinal);
        Assert.Equal("", await minihub.ContentAsync());
        Assert.Equal("empty", await minihub.StateAsync());

        // uvlhub's command catches the error, says so, and ends with exit code 0.
        var command = Path.Combine(minihub.Checkout, "rosemary", "cli.py");
        var commandSource = await File.ReadAllTextAsync(command, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            command,
            commandSource.Replace("    click.echo(\"Seeded.\")\n", "    click.echo(\"Error running seeder UserSeeder: boom\")\n", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(seeding, source, TestContext.Current.CancellationToken);
        var silent = await minihub.RunAsync();
        Assert.Equal(5, silent.ExitCode);
        Proof.Reads("Error running seeder UserSeeder: boom", silent.Output);
        Assert.Equal("empty", await minihub.StateAsync());

        await File.WriteAllTextAsync(command, commandSource, TestContext.Current.CancellationToken);
        await minihub.SucceedAsync();
        Assert.NotEqual("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));
    }

    [Fault(FaultArea.Migration, "the migrator is killed between migration and seeding", Happens = "the next run seeds, once", Data = "as many rows as a whole run makes")]
    [Fact(Timeout = 300_000)]
    public async Task A_run_that_died_between_upgrade_and_seeding_is_made_up_for_once()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        var users = await minihub.TextAsync("SELECT COUNT(*) FROM user");
        await minihub.ExecuteAsync(
            $"""
            SET FOREIGN_KEY_CHECKS = 0;
            DELETE FROM user; DELETE FROM user_profile; DELETE FROM feature_model; DELETE FROM feature_model_tag; DELETE FROM tag; DELETE FROM download;
            UPDATE uvlhub_runner.runs SET phase = 'SeedDue', undo_by = 'Nothing', result = NULL, ended = NULL WHERE database_name = '{minihub.Database.Name}';
            """);
        Assert.Equal("seed-due", await minihub.StateAsync());

        var result = await minihub.SucceedAsync();

        Proof.Reads("seeding now", result.Output);
        Assert.Equal(users, await minihub.TextAsync("SELECT COUNT(*) FROM user"));
        Assert.Contains("nothing to do", (await minihub.SucceedAsync()).Output, StringComparison.Ordinal);
        Assert.Equal(users, await minihub.TextAsync("SELECT COUNT(*) FROM user"));
    }

    [Fact(Timeout = 300_000)]
    public async Task The_seed_verb_undoes_a_seeding_that_fails_and_production_is_not_seeded_by_itself()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        var environment = Path.Combine(minihub.Checkout, ".env");
        await File.WriteAllTextAsync(
            environment,
            (await File.ReadAllTextAsync(environment, TestContext.Current.CancellationToken)).Replace("FLASK_ENV=development", "FLASK_ENV=production", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);

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
        Assert.Equal(before, await minihub.ContentAsync());
    }
}
