using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>A clock that is put right while the migrator works: libfaketime changes what it sees, and nobody else.</summary>
public sealed class ClockTests(MariaDBFixture fixture)
{
    private static readonly string? s_library = Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Select(folder => Path.Combine(folder, "faketime", "libfaketime.so.1"))
            .FirstOrDefault(File.Exists)
        : null;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Machine, "the clock jumps a day, forth or back, while the migrator works")]
    [Fact(Timeout = 300_000)]
    public async Task A_clock_that_jumps_ends_no_migration()
    {
        Assert.SkipWhen(s_library is null, "libfaketime is not installed");
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        WriteRevision(minihub, "005", "004");
        WriteRevision(minihub, "006", "005");
        var (_, undisturbed, _) = await minihub.RehearseAsync();
        minihub.DeleteRevision("005");
        minihub.DeleteRevision("006");
        var clock = Path.Combine(minihub.Checkout, "clock");
        minihub.Settings["LD_PRELOAD"] = s_library!;
        minihub.Settings["FAKETIME_TIMESTAMP_FILE"] = clock;
        minihub.Settings["FAKETIME_NO_CACHE"] = "1";
        minihub.Settings["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";

        foreach (var (revision, parent, jump) in (ValueTuple<string, string, string>[])[("005", "004", "+1d"), ("006", "005", "-1d")])
        {
            WriteRevision(minihub, revision, parent);
            await File.WriteAllTextAsync(clock, "+0", Cancellation);
            using var runner = minihub.Start();
            await runner.WaitForAsync($"-> {revision}", Cancellation);
            await File.WriteAllTextAsync(clock, jump, Cancellation);
            var result = await runner.WaitAsync(Cancellation);

            Proof.Happens(
                $"{(jump[0] == '+' ? "forth" : "back")}: no limit is reached because of it",
                () => Assert.True(result.ExitCode == 0, result.Output));
            Assert.Equal(revision, await minihub.RevisionAsync());
            Assert.Equal(
                "24",
                await minihub.TextAsync(
                    "SELECT ROUND(ABS(TIMESTAMPDIFF(MINUTE, started, ended)) / 60) FROM uvlhub_runner.runs WHERE database_name = "
                    + $"'{minihub.Database.Name}' ORDER BY id DESC LIMIT 1"));
        }

        Proof.Data(
            "every row and the schema are compared: as after a migration with a right clock",
            undisturbed, await minihub.ContentAsync());
        // With the right clock: under libfaketime waiting for the console's last lines ends at once now and then, and what
        // is read here would be lost.
        minihub.Settings.Remove("LD_PRELOAD");
        Assert.Contains("nothing to do", (await minihub.SucceedAsync()).Output, StringComparison.Ordinal);
    }

    // Twice it would make other rows of them. It ends no sooner than the clock has jumped.
    private static void WriteRevision(Minihub minihub, string id, string parent) => minihub.WriteRevision(
        id,
        parent,
        $"op.add_column('user', sa.Column('c{id}', sa.Integer()))",
        "op.execute(\"UPDATE user SET email = CONCAT('x', email)\")",
        "import pathlib",
        "clock, end = pathlib.Path('/app/clock'), time.monotonic() + 60",
        "while clock.exists() and clock.read_text() in ('', '+0') and time.monotonic() < end: time.sleep(0.1)",
        "op.execute('DO SLEEP(0.5)')");
}
