using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What stays between two runs, and what does not.</summary>
public sealed class SecondRunTests
{
    [Fault(FaultArea.Machine, "the AppHost ends and is started again", Happens = "the first leaves no container, the second seeds nothing again", Data = "the rows are compared: all there")]
    [Fact(Timeout = 600_000)]
    public async Task A_second_run_keeps_the_data_seeds_nothing_again_and_the_first_leaves_no_container()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var checkout = new SampleCheckout();
        var instance = Uvlhub.NewInstance();
        try
        {
            var first = await Uvlhub.StartHealthyAsync(checkout.Path, instance, cancellation);
            var seeded = await first.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM feature_model", cancellation);
            await first.ScalarAsync("uvlhubdb", "UPDATE user_profile SET surname = 'kept' ORDER BY id LIMIT 1", cancellation);
            await first.StopAsync(cancellation);

            var left = await Uvlhub.Engine.RunAsync(TimeSpan.FromSeconds(30), cancellation, "ps", "--all", "--quiet", "--filter", $"name=^{instance}_");
            Assert.Equal("", left.Output);

            await using var second = await Uvlhub.StartHealthyAsync(checkout.Path, instance, cancellation);
            Assert.Equal(seeded, await second.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM feature_model", cancellation));
            Assert.Equal("1", await second.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM user_profile WHERE surname = 'kept'", cancellation));
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }
}
