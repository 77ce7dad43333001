using System.Globalization;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>SIGKILL of the verbs that replace all rows, at points spread over the time in which they do.</summary>
public abstract class KilledVerbTests(MariaDBFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Kills a verb again and again. Each time the next run must bring a whole state, and the rows must be in it or in the
    /// dump that the verb made first.
    /// </summary>
    /// <param name="reason">What is written on that dump; {0} is the snapshot.</param>
    /// <param name="verb">The verb's words, of a snapshot that was made earlier.</param>
    /// <param name="delays">When it is killed, in milliseconds after its change has begun.</param>
    protected async Task KillAsync(string reason, Func<string, string[]> verb, params int[] delays)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        minihub.Settings["Uvlhub__Snapshots__Keep"] = "100";
        var snapshot = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await KillTests.FillAsync(minihub);
        var before = await minihub.ContentAsync();
        reason = string.Format(CultureInfo.InvariantCulture, reason, snapshot);
        foreach (var delay in delays)
        {
            using (var runner = minihub.Start(verb(snapshot)))
            {
                while (!await IsChangingAsync())
                {
                    await Task.Delay(10, Cancellation);
                }

                await Task.Delay(delay, Cancellation);
                runner.Kill();
                await runner.WaitAsync(Cancellation);
            }

            var next = await minihub.RunAsync();
            Assert.True(next.ExitCode == 0, $"killed after {delay} ms:\n{next.Output}");
            Assert.Equal("at-head", await minihub.StateAsync());
            if (delay == 0 && await HasNoEndAsync(verb(snapshot)[0]))
            {
                Proof.Reads("was killed before it was done", next.Output);
            }

            await PutBackAsync($"killed after {delay} ms");
        }

        // The kill may come just after the change was done and its entry in the journal closed.
        async Task<bool> HasNoEndAsync(string name) =>
            (await minihub.StatusAsync())["runs"]!.AsArray().First(run => run!["verb"]!.GetValue<string>() == name)!["result"]?.GetValue<string>() != "succeeded";

        async Task<bool> IsChangingAsync()
        {
            try
            {
                return await minihub.TextAsync($"SELECT COUNT(*) FROM uvlhub_runner.runs WHERE database_name = '{minihub.Database.Name}' AND phase = 'Changing'") != "0";
            }
            catch (MySqlException)
            {
                // The change begins with the end of all other connections.
                return true;
            }
        }

        async Task PutBackAsync(string point)
        {
            if (await minihub.ContentAsync() != before)
            {
                Assert.NotEqual("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));
                var dumps = (await minihub.StatusAsync())["snapshots"]!.AsArray().Where(entry => entry!["reason"]!.GetValue<string>() == reason).ToList();
                Assert.True(dumps.Count > 0, $"{point}: there is no dump of the rows");
                await minihub.SucceedAsync("restore", dumps[0]!["name"]!.GetValue<string>());
                Assert.True(before == await minihub.ContentAsync(), $"{point}: the content differs");
            }
        }
    }
}

public sealed class KilledRestoreTests(MariaDBFixture fixture) : KilledVerbTests(fixture)
{
    [Fault(FaultArea.Migration, "the migrator is killed in a restore", Happens = "the next run restores the snapshot first", Data = "15 000 rows compared after each of 3 kills: in the database, or in the dump that the restore made first")]
    [Fact(Timeout = 600_000)]
    public Task Killed_in_a_restore_the_next_run_finishes_it() => KillAsync("before {0} was restored", snapshot => ["restore", snapshot], 0, 100, 400);
}

public sealed class KilledResetTests(MariaDBFixture fixture) : KilledVerbTests(fixture)
{
    [Fault(FaultArea.Migration, "the migrator is killed in a reset", Happens = "the next run empties the database and fills it anew", Data = "15 000 rows compared after each of 3 kills: in the database, or in the dump that the reset made first")]
    [Fact(Timeout = 600_000)]
    public Task Killed_in_a_reset_the_next_run_finishes_it() => KillAsync("before a reset", _ => ["reset", "--yes"], 0, 300, 2000);
}
