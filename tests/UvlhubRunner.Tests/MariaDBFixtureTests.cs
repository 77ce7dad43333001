using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests;

public sealed class MariaDBFixtureTests(MariaDBFixture fixture)
{
    [Fact(Timeout = 600_000)]
    public async Task A_fresh_database_answers_its_own_user()
    {
        var database = await fixture.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        Assert.Equal(database.Name, await database.ReadAsync<string>("SELECT DATABASE()", TestContext.Current.CancellationToken));
    }
}
