using System.Globalization;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>SIGKILL of the verbs that replace all rows, at points spread over the time in which they do.</summary>
public abstract class KilledVerbTests(MariaDBFixture fixture)
{
    private const string Killed = "was killed before it was done";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Kills a verb again and again. Each time the next run must come to the verb's end, and the rows that were there
    /// must be in the dump that the verb made first.
    /// </summary>
    /// <param name="reason">What is written on that dump; {0} is the snapshot.</param>
    /// <param name="verb">The verb's words, of a snapshot of the freshly filled database.</param>
    /// <param name="outcome">What the next run does, in a person's words.</param>
    /// <param name="look">Reads what the next run must bring as it is in the freshly filled database.</param>
    /// <param name="delays">When it is killed, in milliseconds after its change has begun.</param>
    private protected async Task KillAsync(
        string reason, Func<string, string[]> verb, string outcome, Func<Minihub, Task<IReadOnlyList<string>>> look, params int[] delays)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        minihub.Settings["Uvlhub__Snapshots__Keep"] = "100";
        var snapshot = (await minihub.SucceedAsync("backup")).Answer.Trim();
        var fresh = await look(minihub);
        await KillTests.FillAsync(minihub);
        var before = await minihub.ContentAsync();
        reason = string.Format(CultureInfo.InvariantCulture, reason, snapshot);
        List<string> brought = [];
        List<string> lost = [];
        var output = "";
        foreach (var delay in delays)
        {
            // A kill that comes when the change is done proves little: there is another one, a little earlier.
            var isHit = false;
            for (var time = delay; !isHit; time -= 50)
            {
                Assert.True(time >= 0, $"no kill hit the change of '{verb(snapshot)[0]}'");
                isHit = await KillOnceAsync(minihub, verb(snapshot), time);
                var next = await minihub.SucceedAsync();
                Assert.Equal("at-head", await minihub.StateAsync());
                Assert.Equal(isHit, next.Output.Contains(Killed, StringComparison.Ordinal));
                // The first one comes at the very beginning, so that what is read is the same each time.
                output = isHit && output.Length == 0 ? next.Output : output;
                if (await look(minihub) is var now && !fresh.SequenceEqual(now))
                {
                    brought.Add($"killed after {time} ms: {DatabaseContents.Difference(fresh, now)}\n{next.Output}");
                }

                var snapshots = (await minihub.StatusAsync())["snapshots"]!.AsArray();
                var dump = snapshots.FirstOrDefault(entry => entry!["reason"]!.GetValue<string>() == reason);
                Assert.True(dump is not null, $"killed after {time} ms: there is no dump of the rows\n{next.Output}");
                await minihub.SucceedAsync("restore", dump["name"]!.GetValue<string>());
                if (await minihub.ContentAsync() is var dumped && !before.SequenceEqual(dumped))
                {
                    lost.Add($"killed after {time} ms: {DatabaseContents.Difference(before, dumped)}");
                }
            }
        }

        Proof.Reads(Killed, output);
        Proof.Happens(outcome, () => Assert.True(brought.Count == 0, string.Join("\n\n", brought)));
        Proof.Data(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{KillTests.Rows:N0} rows and the schema, compared after each of {delays.Length} kills: in the dump that is made first"),
            () => Assert.True(lost.Count == 0, string.Join("\n\n", lost)));
    }

    // Whether it was changing the database when it was killed.
    private static async Task<bool> KillOnceAsync(Minihub minihub, string[] verb, int delay)
    {
        using var runner = minihub.Start(verb);
        var end = runner.WaitAsync(Cancellation);
        while (!end.IsCompleted && await minihub.PhaseAsync() != "Changing")
        {
            await Task.Delay(10, Cancellation);
        }

        await Task.Delay(delay, Cancellation);
        runner.Kill();
        await end;
        return await minihub.PhaseAsync() == "Changing";
    }
}

public sealed class KilledRestoreTests(MariaDBFixture fixture) : KilledVerbTests(fixture)
{
    [Fault(FaultArea.Migration, "the migrator is killed in a restore")]
    [Fact(Timeout = 600_000)]
    public Task Killed_in_a_restore_the_next_run_finishes_it() => KillAsync(
        "before {0} was restored",
        snapshot => ["restore", snapshot],
        "the next run restores the snapshot",
        minihub => minihub.ContentAsync(),
        0, 100, 400);
}

public sealed class KilledResetTests(MariaDBFixture fixture) : KilledVerbTests(fixture)
{
    [Fault(FaultArea.Migration, "the migrator is killed in a reset")]
    [Fact(Timeout = 600_000)]
    public Task Killed_in_a_reset_the_next_run_finishes_it() => KillAsync(
        "before a reset",
        _ => ["reset", "--yes"],
        "the next run empties the database and fills it anew",
        SchemaAndCountsAsync,
        0, 300, 2000);

    // The rows are made again, with other times and other salt.
    private static async Task<IReadOnlyList<string>> SchemaAndCountsAsync(Minihub minihub) =>
        [.. await minihub.SchemaAsync(), .. await minihub.CountsAsync()];
}
