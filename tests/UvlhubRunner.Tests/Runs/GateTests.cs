using System.Globalization;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>
/// The gate by which the site is let in, after SIGKILL of the migrator at any moment of all that changes a database: it is
/// open only at a revision at which every row is as it should be.
/// </summary>
public sealed class GateTests(MariaDBFixture fixture)
{
    private const string Fault = "the migrator is killed in a migration, an undo, a restore or a reset";
    private const string Before = "before";
    private const string After = "after";
    private const string Fresh = "fresh";

    private static readonly string[] s_upgrade =
    [
        "def step(sql):",
        "    op.execute(sql)",
        "    op.execute('DO SLEEP(0.1)')",
        "step('ALTER TABLE feature_model ADD COLUMN slug VARCHAR(200)')",
        "step(\"UPDATE feature_model SET slug = CONCAT(id, '-', LOWER(title))\")",
        "step('DELETE FROM download WHERE id % 3 = 0')",
        "step('ALTER TABLE feature_model DROP COLUMN description')",
        "step(\"UPDATE user SET email = CONCAT('x', email)\")",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_killed_migrator_leaves_no_gate_open_that_it_did_not_mean() => KillAsync(seeds: 1);

    [Fault(FaultArea.Migration, $"{Fault}, at any of twenty moments of each")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_migrator_killed_at_any_of_twenty_moments_leaves_no_gate_open_that_it_did_not_mean() => KillAsync(seeds: 20);

    private async Task KillAsync(int seeds)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        minihub.Settings["Uvlhub__Snapshots__Keep"] = "100";
        await minihub.SucceedAsync();
        var fresh = await ShapeAsync(minihub);
        await KillTests.FillAsync(minihub);
        minihub.WriteRevision("005", "004", s_upgrade);
        var (before, after, template) = await minihub.RehearseAsync();

        var states = new Dictionary<string, (string Gate, Func<Task<bool>> IsSo)>
        {
            [Before] = ("004", async () => before.SequenceEqual(await minihub.ContentAsync())),
            [After] = ("005", async () => after.SequenceEqual(await minihub.ContentAsync())),
            // A seeder's times and salt are others each time.
            [Fresh] = ("004", async () => fresh.SequenceEqual(await ShapeAsync(minihub))),
        };
        // What the killed run may mean, and what the next one, which has the revision's file or not, may bring.
        (string[] Verb, string From, double Seconds, string[] Upgrade, string[] Means, bool HasRevision, string[] Brings)[] kills =
        [
            (["migrate"], "", 2, s_upgrade, [Before, After], true, [After]),
            (["restore", template], "", 1.5, s_upgrade, [After, Before], true, [After]),
            (["migrate"], "is locked out", 1.5, [.. s_upgrade, "raise ValueError('no')"], [Before], false, [Before]),
            (["reset", "--yes"], "", 3, [], [Before, Fresh], false, [Before, Fresh]),
        ];
        var (hits, open) = (0, new List<string>());
        for (var seed = 1; seed <= seeds; seed++)
        {
            var random = new Random(seed);
            foreach (var (verb, from, seconds, upgrade, means, hasRevision, brings) in kills)
            {
                if (means[0] == Before)
                {
                    minihub.DeleteRevision("005");
                    await minihub.SucceedAsync("restore", template);
                }

                if (upgrade.Length > 0)
                {
                    minihub.WriteRevision("005", "004", upgrade);
                }

                Assert.True(await states[means[0]].IsSo(), $"seed {seed}, {verb[0]}: the state before is not {means[0]}");
                var delay = TimeSpan.FromSeconds(seconds * random.NextDouble());
                await KillOnceAsync(minihub, verb, from, delay, isEarly: seed % 4 == 0);
                var point = string.Create(
                    CultureInfo.InvariantCulture, $"seed {seed}, {string.Join(' ', verb)}, killed after {delay.TotalSeconds:0.000} s");
                hits += await minihub.PhaseAsync() == "Closed" ? 0 : 1;
                await CheckAsync(point, means, isClosedToo: true);

                if (!hasRevision)
                {
                    minihub.DeleteRevision("005");
                }

                var next = await minihub.RunAsync();
                Assert.True(next.ExitCode == 0, $"{point}:\n{next.Output}");
                await CheckAsync($"{point}, and the next run", brings, isClosedToo: false);
            }

            TestContext.Current.SendDiagnosticMessage("{0} of {1} kills hit a run that was open", hits, seed * kills.Length);
        }

        Proof.Happens(
            $"{seeds * kills.Length} kills, at least half of them while the database was being changed",
            () => Assert.True(hits >= seeds * kills.Length / 2, $"only {hits} of {seeds * kills.Length} hit: the test proves little"));
        Proof.Data(
            "the site is let in only at the revision whose every row and table is there, after each kill and after the next run",
            () => Assert.True(open.Count == 0, string.Join("\n\n", open)));

        async Task CheckAsync(string point, string[] allowed, bool isClosedToo)
        {
            // Read first, and as root: what is locked out besides must not make up for it.
            var gate = await minihub.TextAsync("SELECT revision FROM uvlhub_runner.gate WHERE database_name = DATABASE()");
            if (gate.Length == 0 && isClosedToo)
            {
                return;
            }

            foreach (var state in allowed)
            {
                if (states[state].Gate == gate && await states[state].IsSo())
                {
                    return;
                }
            }

            open.Add(
                $"{point}: the gate is at '{gate}', and the database is not {string.Join(" or ", allowed)}; it is at "
                + $"{await minihub.RevisionAsync()}");
        }
    }

    // Counted from the first moment on, or from where the change is announced, or is being undone.
    private static async Task KillOnceAsync(Minihub minihub, string[] verb, string from, TimeSpan delay, bool isEarly)
    {
        using var runner = minihub.Start(verb);
        var end = runner.WaitAsync(Cancellation);
        while (!isEarly && !end.IsCompleted
            && !(from.Length > 0 ? runner.Output.Contains(from, StringComparison.Ordinal) : await minihub.PhaseAsync() == "Changing"))
        {
            await Task.Delay(10, Cancellation);
        }

        await Task.Delay(delay, Cancellation);
        runner.Kill();
        await end;
    }

    private static async Task<IReadOnlyList<string>> ShapeAsync(Minihub minihub) =>
        [.. await minihub.SchemaAsync(), .. await minihub.CountsAsync()];
}
