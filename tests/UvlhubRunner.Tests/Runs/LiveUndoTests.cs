using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>What visitors write while a migration fails, is undone, or is dead: all that was acknowledged is somewhere, by name.</summary>
public sealed class LiveUndoTests(MariaDBFixture fixture)
{
    private const string Everywhere = "every acknowledged row is in the database or in a snapshot";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "a revision fails while visitors write")]
    [Fact(Timeout = 300_000)]
    public async Task Rows_written_while_a_revision_fails_are_in_the_database_or_in_the_snapshot_that_is_named()
    {
        await using var minihub = await MigratedAsync();
        minihub.WriteRevision(
            "005", "004", "op.create_table('x', sa.Column('id', sa.Integer()))", "time.sleep(4)", "raise ValueError('no')");
        await using var visitors = Visitors.Start(minihub);

        var result = await minihub.RunAsync();
        var ended = DateTimeOffset.UtcNow;
        await Eventually.TrueAsync(
            () => Task.FromResult(visitors.Acknowledged(ended) > 4), TimeSpan.FromSeconds(20), "visitors to be let in again");
        var lost = await visitors.EndAsync();

        Assert.Equal(5, result.ExitCode);
        var kept = await SetAsideAsync(minihub);
        Proof.Happens("the site is locked out while everything is put back, and let in again", () =>
            Assert.Contains("is locked out", result.Output, StringComparison.Ordinal));
        Proof.Reads($"was in the database is in the snapshot {kept}", result.Output);
        Proof.Data(Everywhere, () =>
        {
            Assert.InRange(visitors.Acknowledged(), 50, int.MaxValue);
            Assert.True(lost.Count == 0, $"{lost.Count} of {visitors.Acknowledged()} acknowledged rows are lost:\n{result.Output}");
        });
    }

    [Fault(FaultArea.Migration, "the migrator is killed while it puts a database back under visitors")]
    [Fact(Timeout = 300_000)]
    public async Task Killed_in_an_undo_the_next_run_ends_it_and_lets_visitors_in_again()
    {
        await using var minihub = await MigratedAsync();
        await KillTests.FillAsync(minihub);
        minihub.WriteRevision(
            "005", "004", "op.create_table('x', sa.Column('id', sa.Integer()))", "time.sleep(2)", "raise ValueError('no')");
        await using var visitors = Visitors.Start(minihub);
        foreach (var delay in (int[])[0, 200, 500, 1000])
        {
            using var runner = minihub.Start();
            await runner.WaitForAsync("is locked out", Cancellation);
            await Task.Delay(delay, Cancellation);
            runner.Kill();
            await runner.WaitAsync(Cancellation);
        }

        minihub.DeleteRevision("005");
        var next = await minihub.SucceedAsync();
        var ended = DateTimeOffset.UtcNow;
        await Proof.HappensAsync("the next run ends the undo, and lets the site in again", () => Eventually.TrueAsync(
            () => Task.FromResult(visitors.Acknowledged(ended) > 4), TimeSpan.FromSeconds(20), "visitors to be let in again"));
        var lost = await visitors.EndAsync();

        Assert.Equal("at-head", await minihub.StateAsync());
        Proof.Data(Everywhere, () => Assert.True(lost.Count == 0, $"{lost.Count} of {visitors.Acknowledged()} lost:\n{next.Output}"));
    }

    [Fault(FaultArea.Migration, "visitors write after the migrator was killed")]
    [Fact(Timeout = 300_000)]
    public async Task What_was_written_after_a_run_was_killed_is_not_put_back_without_a_persons_word()
    {
        await using var minihub = await MigratedAsync();
        minihub.WriteRevision("005", "004", "op.create_table('x', sa.Column('id', sa.Integer()))", "time.sleep(60)");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
            runner.Kill();
            await runner.WaitAsync(Cancellation);
        }

        // The old version of the site goes on for longer than a run may seem alive.
        await Task.Delay(TimeSpan.FromSeconds(25), Cancellation);
        await using var visitors = Visitors.Start(minihub);
        await Eventually.TrueAsync(() => Task.FromResult(visitors.Acknowledged() > 4));
        Assert.Empty(await visitors.EndAsync());
        minihub.DeleteRevision("005");
        var before = await minihub.ContentAsync();

        var refused = await minihub.RunAsync();

        Proof.Happens("refused, with the verbs that go on", () => Assert.Equal(3, refused.ExitCode));
        Proof.Reads("rows were written", refused.Output);
        Proof.Data("every row and the schema are compared: as visitors left them", before, await minihub.ContentAsync());

        var snapshot = (await minihub.StatusAsync())["runs"]![0]!["snapshot"]!.GetValue<string>();
        Assert.Contains($"restore {snapshot}", refused.Output, StringComparison.Ordinal);
        await minihub.SucceedAsync("restore", snapshot);
        Assert.Equal("at-head", await minihub.StateAsync());
        Assert.Empty(await visitors.EndAsync());
    }

    private async Task<Minihub> MigratedAsync()
    {
        var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        return minihub;
    }

    private static async Task<string> SetAsideAsync(Minihub minihub) => (await minihub.StatusAsync())["snapshots"]!.AsArray()
        .First(entry => entry!["reason"]!.GetValue<string>().StartsWith("half-changed", StringComparison.Ordinal))!["name"]!
        .GetValue<string>();
}
