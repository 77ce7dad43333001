using System.Globalization;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>
/// SIGKILL of the migrator anywhere in an upgrade of real data that deletes and rewrites rows. Whatever is hit, the next
/// run brings either exactly the state before or exactly the state after.
/// </summary>
public abstract class KillTests(MariaDBFixture fixture, int seed)
{
    private const int Kills = 10;
    private const int Hits = Kills / 2;
    private const int Users = 2000;
    private const int Models = 8000;
    private const int Downloads = 5000;

    /// <summary>How many rows <see cref="FillAsync"/> makes.</summary>
    internal const int Rows = Users + Models + Downloads;

    private static readonly string[] s_upgrade =
    [
        "def step(sql):",
        "    op.execute(sql)",
        "    op.execute('DO SLEEP(0.12)')",
        "step('ALTER TABLE feature_model ADD COLUMN slug VARCHAR(200)')",
        "step(\"UPDATE feature_model SET slug = CONCAT(id, '-', LOWER(title))\")",
        "step('DELETE FROM download WHERE id % 3 = 0')",
        "step('CREATE TABLE label (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(200) NOT NULL)')",
        "step('INSERT INTO label (name) SELECT slug FROM feature_model')",
        "step('ALTER TABLE feature_model DROP COLUMN description')",
        "step('ALTER TABLE feature_model MODIFY title VARCHAR(300) NOT NULL, ADD INDEX ix_slug (slug)')",
        "step(\"UPDATE user SET email = CONCAT('x', email)\")",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "the migrator is killed anywhere in a migration")]
    [Fact(Timeout = 900_000)]
    public async Task Killed_anywhere_in_an_upgrade_the_next_run_has_all_rows()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        await FillAsync(minihub);
        minihub.Settings["Uvlhub__Snapshots__Keep"] = "100";
        minihub.WriteRevision("005", "004", s_upgrade);
        var (before, after, template) = await minihub.RehearseAsync();

        var random = new Random(seed);
        var interrupted = 0;
        List<string> differences = [], open = [];
        for (var kill = 0; kill < Kills; kill++)
        {
            minihub.DeleteRevision("005");
            if (!before.SequenceEqual(await minihub.ContentAsync()))
            {
                await minihub.SucceedAsync("restore", template);
                Assert.Equal(before, await minihub.ContentAsync());
            }

            minihub.WriteRevision("005", "004", s_upgrade);
            var point = $"seed {seed}, kill {kill}";
            using (var runner = minihub.Start())
            {
                // Some anywhere from the first moment on, the others while the revision runs.
                if (kill < Kills / 4)
                {
                    await DelayAsync(2.0);
                }
                else
                {
                    await runner.WaitForAsync("-> 005", Cancellation);
                    await DelayAsync(1.2);
                }

                runner.Kill();
                await runner.WaitAsync(Cancellation);
            }

            async Task DelayAsync(double seconds)
            {
                var delay = seconds * random.NextDouble();
                point = string.Create(CultureInfo.InvariantCulture, $"{point} after {delay:0.000} s");
                await Task.Delay(TimeSpan.FromSeconds(delay), Cancellation);
            }

            // What the site would be let in at, against what it would find; the killed command may still be at work.
            var (gate, found) = (await minihub.GateAsync(), await minihub.ContentAsync());
            if (gate is not null && !found.SequenceEqual(gate == "005" ? after : before))
            {
                open.Add($"{point}: {gate}: {DatabaseContents.Difference(gate == "005" ? after : before, found)}");
            }

            var isHit = await minihub.PhaseAsync() == "Changing";
            interrupted += isHit ? 1 : 0;
            var backToBefore = kill % 2 == 1 && isHit;
            if (backToBefore)
            {
                // The revision is gone when the next run comes: it has to put everything back.
                minihub.DeleteRevision("005");
            }

            var next = await minihub.RunAsync();
            Assert.True(next.ExitCode == 0, $"{point}:\n{next.Output}");
            var (expected, actual) = (backToBefore ? before : after, await minihub.ContentAsync());
            Assert.Equal(backToBefore ? "004" : "005", await minihub.GateAsync());
            if (!expected.SequenceEqual(actual))
            {
                differences.Add($"{point}: {DatabaseContents.Difference(expected, actual)}\n{next.Output}");
            }
        }

        TestContext.Current.SendDiagnosticMessage("{0} of {1} kills hit an upgrade that was changing the database", interrupted, Kills);
        Proof.Happens(
            $"{Kills} kills, at least {Hits} of them in the middle of the change: the next run finishes it, or puts everything back",
            () => Assert.True(interrupted >= Hits, $"only {interrupted} of {Kills} kills hit a change: the test proves little"));
        Proof.Happens(
            "the site is never let in at a revision at which not every row is as it should be",
            () => Assert.True(open.Count == 0, string.Join("\n\n", open)));
        Proof.Data(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Rows:N0} rows and the schema, compared after each kill: exactly as before or exactly as after"),
            () => Assert.True(differences.Count == 0, string.Join("\n\n", differences)));
    }

    internal static Task FillAsync(Minihub minihub) => minihub.ExecuteAsync(
        $$"""
        INSERT INTO user (email, password_hash, created_at)
          SELECT CONCAT('user', seq, '@example.org'), SHA2(seq, 256), '2026-01-01' + INTERVAL seq MINUTE FROM seq_1_to_{{Users}};
        INSERT INTO feature_model (user_id, title, description, filename, checksum, uvl, created_at, features, constraints)
          SELECT (SELECT MIN(id) FROM user), CONCAT('Model Ñ ', seq), REPEAT(CONCAT('d', seq), 10), CONCAT(seq, '.uvl'), SHA2(seq, 256), REPEAT('x', seq % 500), '2026-02-02' + INTERVAL seq SECOND, seq % 90, seq % 7
          FROM seq_1_to_{{Models}};
        INSERT INTO download (feature_model_id, user_id, downloaded_at)
          SELECT (SELECT MIN(id) FROM feature_model), NULL, '2026-03-03' + INTERVAL seq SECOND FROM seq_1_to_{{Downloads}};
        """);
}

/// <summary>Some points.</summary>
public sealed class FirstKillTests(MariaDBFixture fixture) : KillTests(fixture, seed: 1);

/// <summary>Others, beside the first ones.</summary>
public sealed class SecondKillTests(MariaDBFixture fixture) : KillTests(fixture, seed: 2);
