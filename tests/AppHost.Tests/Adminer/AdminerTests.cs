using Xunit;

namespace UvlhubAspire.AppHost.Tests.Adminer;

public sealed class AdminerTests
{
    [Fact]
    public async Task It_is_off_until_it_is_asked_for()
    {
        await using var without = await EditionModel.CreateAsync(Edition.Course);
        Assert.DoesNotContain("adminer", without.Containers);
    }

    [Fact]
    public async Task It_offers_the_database_once_that_is_ready()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Services=+adminer");
        Assert.Equal("db", (await model.FactsAsync("adminer")).Environment["ADMINER_DEFAULT_SERVER"]);
        Assert.Equal(["db (WaitUntilHealthy)"], model.Waits("adminer"));
        Assert.Equal((8080, 8080), (model.Endpoint("adminer", "http").Port, model.Endpoint("adminer", "http").TargetPort));
    }
}
