using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What goes wrong before a first start has ended.</summary>
public sealed class FirstStartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Database, "MariaDB is killed in a revision of the first start")]
    [Fact(Timeout = 240_000)]
    public async Task A_database_that_is_killed_in_a_revision_of_the_first_start_comes_back_and_the_migrator_goes_on()
    {
        using var checkout = new SampleCheckout();
        const string statement = "SELECT SLEEP(10)";
        await MendedRevisionTests.WriteRevisionAsync(checkout, statement);
        var instance = Uvlhub.NewInstance();
        var engine = new InstanceOnEngine(instance);
        var start = Uvlhub.StartHealthyAsync(checkout.Path, instance, Cancellation);

        await engine.ExecutesAsync(statement);
        await engine.CrashAsync(InstanceOnEngine.Database);

        await Proof.HappensAsync("it is started again, the migrator tries again, and the site comes up", async () =>
        {
            await using var uvlhub = await start;
            using var client = uvlhub.CreateClient();
            Assert.Contains("Coffee machine", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
            Proof.Reads("db has died", await uvlhub.LogAsync("db", Cancellation));
        });
    }
}
