using UvlhubAspire.Runner.Database;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

public sealed class ConcurrencyTests(MariaDBFixture fixture)
{
    [Fault(FaultArea.Migration, "several migrators start together")]
    [Theory(Timeout = 300_000)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Migrators_started_together_on_an_empty_database_make_one_upgrade_and_one_seeding(int migrators)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();

        var results = await Task.WhenAll(Enumerable.Range(0, migrators).Select(_ => minihub.RunAsync()));

        Assert.All(results, result => Assert.True(result.ExitCode == 0, result.Output));
        Proof.Happens("one works", () => Assert.Single(results, Says("Running 'flask db upgrade'")));
        Proof.Happens("the others wait", () => Assert.Contains(results, Says("Another migrator is at work on this database (connection ")));
        Proof.Happens("and find nothing to do", () => Assert.Equal(migrators - 1, results.Count(result => Says("nothing to do")(result))));
        var runs = (await minihub.StatusAsync())["runs"]!.AsArray();
        Proof.Data("seeded once", () =>
        {
            Assert.Single(results, Says("Running 'rosemary db:seed"));
            Assert.Single(runs);
        });
    }

    [Fault(FaultArea.Migration, "another migrator does not end")]
    [Fact(Timeout = 120_000)]
    public async Task Waiting_for_another_migrator_has_an_end_and_says_who_it_is()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var other = new MySqlConnector.MySqlConnection(minihub.Database.RootConnectionString);
        await other.OpenAsync(TestContext.Current.CancellationToken);
        await using var take = new MySqlConnector.MySqlCommand(
            $"SELECT GET_LOCK('{MigrationLock.NameFor(minihub.Database.Name)}', 0)", other);
        Assert.Equal(1L, Convert.ToInt64(await take.ExecuteScalarAsync(TestContext.Current.CancellationToken), null));

        var before = await minihub.ContentAsync();

        var result = await minihub.RunAsync("--Uvlhub:Migrator:LockTimeout=00:00:02");

        Proof.Happens("given up at the limit", () => Assert.Equal(4, result.ExitCode));
        Proof.Happens(
            "with who it is",
            () => Assert.Contains($"connection {other.ServerThread} of root", result.Output, StringComparison.Ordinal));
        Proof.Reads($"connection {other.ServerThread} of root", result.Output);
        Proof.Data("every row and the schema are compared: as before", before, await minihub.ContentAsync());
        Assert.NotNull((await minihub.StatusAsync())["lockHolder"]);
    }

    private static Predicate<RunResult> Says(string text) => result => result.Output.Contains(text, StringComparison.Ordinal);
}
