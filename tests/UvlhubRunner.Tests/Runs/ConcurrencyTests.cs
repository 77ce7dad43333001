using UvlhubRunner.Database;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

public sealed class ConcurrencyTests(MariaDBFixture fixture)
{
    [Fault(FaultArea.Migration, "several migrators start together", Happens = "one works, the others wait and find nothing to do", Data = "seeded once")]
    [Theory(Timeout = 300_000)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Migrators_started_together_on_an_empty_database_make_one_upgrade_and_one_seeding(int migrators)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();

        var results = await Task.WhenAll(Enumerable.Range(0, migrators).Select(_ => minihub.RunAsync()));

        Assert.All(results, result => Assert.True(result.ExitCode == 0, result.Output));
        Assert.Single(results, result => result.Output.Contains("Running 'flask db upgrade'", StringComparison.Ordinal));
        Assert.Single(results, result => result.Output.Contains("Running 'rosemary db:seed", StringComparison.Ordinal));
        Assert.Equal(migrators - 1, results.Count(result => result.Output.Contains("nothing to do", StringComparison.Ordinal)));
        Assert.Contains(results, result => result.Output.Contains("Another migrator is at work on this database (connection ", StringComparison.Ordinal));
        Assert.Single((await minihub.StatusAsync())["runs"]!.AsArray());
    }

    [Fault(FaultArea.Migration, "another migrator does not end", Happens = "given up at the limit, with who it is", Data = "untouched")]
    [Fact(Timeout = 120_000)]
    public async Task Waiting_for_another_migrator_has_an_end_and_says_who_it_is()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var other = new MySqlConnector.MySqlConnection(minihub.Database.RootConnectionString);
        await other.OpenAsync(TestContext.Current.CancellationToken);
        await using var take = new MySqlConnector.MySqlCommand(
            $"SELECT GET_LOCK('{MigrationLock.NameFor(minihub.Database.Name)}', 0)", other);
        Assert.Equal(1L, Convert.ToInt64(await take.ExecuteScalarAsync(TestContext.Current.CancellationToken), null));

        var result = await minihub.RunAsync("--Uvlhub:Migrator:LockTimeout=00:00:02");

        Assert.Equal(4, result.ExitCode);
        Proof.Reads($"connection {other.ServerThread} of root", result.Output);
        Assert.NotNull((await minihub.StatusAsync())["lockHolder"]);
    }
}
