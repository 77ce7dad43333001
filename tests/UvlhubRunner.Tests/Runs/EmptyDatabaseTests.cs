using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

public sealed class EmptyDatabaseTests(MariaDBFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task An_empty_database_is_upgraded_and_seeded_and_a_second_run_needs_no_python()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        Assert.Equal("empty", await minihub.StateAsync());
        await using (await minihub.StartToolboxAsync())
        {
            await minihub.SucceedAsync();
        }

        Assert.Equal("004", await minihub.RevisionAsync());
        Assert.NotEqual("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));
        var filled = await minihub.ContentAsync();
        Assert.Equal("at-head", await minihub.StateAsync());
        Assert.Equal("1", await minihub.TextAsync(
            $"SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{minihub.Database.Name}_test'"));

        // The toolbox is gone: whatever would start Python fails now.
        var again = await minihub.SucceedAsync("migrate");
        Assert.Contains("nothing to do", again.Output, StringComparison.Ordinal);
        Assert.Equal(filled, await minihub.ContentAsync());
    }
}
