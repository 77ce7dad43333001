using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>The toolbox with the options of the AppHost's own.</summary>
public sealed class ToolboxTests(MariaDBFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task The_toolbox_has_none_of_roots_powers_and_ends_when_the_engine_asks_it_to()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();

        var status = await toolbox.ExecAsync(Cancellation, "grep", "-E", "^(CapBnd|NoNewPrivs):", "/proc/self/status");
        Assert.Matches(@"^CapBnd:\s0+\nNoNewPrivs:\s1$", status.Output);
        Assert.Equal("/app", (await toolbox.ExecAsync(Cancellation, "pwd")).Output);

        // 128 + SIGTERM; one that does not listen is killed in the end, with 137.
        Assert.Equal(143, await toolbox.StopAsync(Cancellation));
    }
}
