using System.Text.Json.Nodes;
using UvlhubAspire.Checkout;
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

    [Fact(Timeout = 120_000)]
    public async Task A_runner_that_is_inside_reads_there_what_only_Python_can_tell()
    {
        Assert.SkipUnless(RunnerExecutable.Arguments is [], "without a linker the runner needs .NET, which the container has not");
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        minihub.WriteRevision("005", "004", "pass");
        var file = Path.Combine(minihub.Versions, "005.py");
        var text = await File.ReadAllTextAsync(file, Cancellation);
        await File.WriteAllTextAsync(file, text.Replace("\"005\"", "f\"{5:03}\"", StringComparison.Ordinal), Cancellation);
        await toolbox.CopyAsync(RunnerExecutable.File, "/tmp/UvlhubRunner", Cancellation);

        var read = await toolbox.ExecAsync(
            Cancellation, "env", "Uvlhub__Migrator__Local=true", "/tmp/UvlhubRunner", "status", "--json");
        Assert.True(read.Succeeded, read.Error);
        Assert.Equal("005", JsonNode.Parse(read.Output)!["head"]!.GetValue<string>());

        await File.WriteAllTextAsync(file, "revision = (", Cancellation);
        var broken = await toolbox.ExecAsync(Cancellation, "env", "Uvlhub__Migrator__Local=true", "/tmp/UvlhubRunner", "migrate");
        Assert.Equal(3, broken.ExitCode);
        Assert.Contains("/app/migrations/versions/005.py:1: '(' was never closed", broken.Output, StringComparison.Ordinal);
    }
}
