using System.Runtime.Versioning;
using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

public sealed class RetentionTests(MariaDBFixture fixture)
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 24, 21, 55, 3, 500, TimeSpan.Zero);

    [Fact(Timeout = 300_000)]
    public async Task The_oldest_snapshots_of_a_database_go_first_and_those_of_others_stay()
    {
        var time = new SettableTime(s_start);
        using var scenario = await SnapshotScenario.CreateAsync(fixture, keep: 2, time: time);
        var other = await fixture.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await other.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)", TestContext.Current.CancellationToken);
        var ofOther = await scenario.Store.CreateAsync(
            new DatabaseAccess(other.ConnectionString) { Container = other.Server.ContainerName }, new SnapshotRequest(), null,
            TestContext.Current.CancellationToken);
        List<string> taken = [];
        for (var minute = 1; minute <= 4; minute++)
        {
            time.Now = s_start.AddMinutes(minute);
            taken.Add((await scenario.TakeAsync()).Name);
        }

        Assert.Equal([taken[3], taken[2], ofOther.Name], scenario.Store.List().Select(snapshot => snapshot.Name));
        Assert.Equal(6, scenario.Files.Count);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_protected_snapshot_stays_until_it_is_released()
    {
        var time = new SettableTime(s_start);
        using var scenario = await SnapshotScenario.CreateAsync(fixture, keep: 1, time: time);
        var first = await scenario.TakeAsync(
            new SnapshotRequest { Protect = true, Checkout = "/home/ana/uvlhub", Reason = "before 001 → 002" });
        time.Now = s_start.AddMinutes(1);
        var second = await scenario.TakeAsync();
        Assert.True(scenario.Store.IsProtected(first.Name));
        Assert.Equal([second.Name, first.Name], scenario.Store.List().Select(snapshot => snapshot.Name));
        Assert.Equal("before 001 → 002", scenario.Store.Find(first.Name)!.Reason);
        Assert.Equal("/home/ana/uvlhub", scenario.Store.Find(first.Name)!.Checkout);

        scenario.Store.Release(first.Name);
        scenario.Store.Release("not there");

        Assert.Equal([first.Name], scenario.Store.Prune(scenario.Database.Name));
        Assert.Equal([$"{second.Name}.json", $"{second.Name}.sql.gz"], scenario.Files);
    }

    [Fault(FaultArea.Machine, "the clock goes back a day")]
    [Fact(Timeout = 300_000)]
    public async Task The_one_just_made_stays_even_if_the_clock_went_back_and_none_is_to_be_kept()
    {
        var time = new SettableTime(s_start);
        using var scenario = await SnapshotScenario.CreateAsync(fixture, keep: 0, time: time);
        await scenario.TakeAsync();
        await scenario.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
        var before = await scenario.ContentAsync();
        time.Now = s_start.AddDays(-1);

        var latest = await scenario.TakeAsync();

        Proof.Happens("the snapshot just made is not taken for the oldest", () => Assert.NotNull(scenario.Store.Find(latest.Name)));
        await scenario.ExecuteAsync("DELETE FROM t");
        await scenario.RestoreAsync(latest);
        Proof.Data("the snapshot is there, and holds every row", before, await scenario.ContentAsync());
    }

    [Fault(FaultArea.Machine, "the clock was ahead and is put right")]
    [Fact(Timeout = 300_000)]
    public async Task Snapshots_of_a_clock_that_was_ahead_do_not_push_out_a_newer_one()
    {
        var time = new SettableTime(s_start.AddDays(2));
        using var scenario = await SnapshotScenario.CreateAsync(fixture, keep: 2, time: time);
        await scenario.TakeAsync();
        await scenario.TakeAsync();
        await scenario.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
        var before = await scenario.ContentAsync();
        time.Now = s_start;

        var latest = await scenario.TakeAsync(new SnapshotRequest { Protect = true });
        scenario.Store.Release(latest.Name);
        scenario.Store.Prune(scenario.Database.Name);

        Proof.Happens("the newest is the one made last, whatever its date", () =>
            Assert.Equal(latest.Name, scenario.Store.List()[0].Name));
        await scenario.ExecuteAsync("DELETE FROM t");
        await scenario.RestoreAsync(latest);
        Proof.Data("the snapshot is there, and holds every row", before, await scenario.ContentAsync());
    }

    [Theory(Timeout = 300_000)]
    [InlineData("backup")]
    [InlineData("from the backup 1a2b3c4d")]
    [InlineData("before a reset")]
    [InlineData("before 2026-11-24T21-55-03Z_001 was restored")]
    [InlineData("half-changed, before it was emptied")]
    [InlineData("half-changed, before 2026-11-24T21-55-03Z_001 was restored")]
    public async Task Only_automatic_snapshots_are_deleted(string reason)
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture, keep: 1);
        var kept = await scenario.TakeAsync(new SnapshotRequest { Reason = reason });
        List<string> automatic = [];
        for (var number = 0; number < 3; number++)
        {
            automatic.Add((await scenario.TakeAsync(new SnapshotRequest { Reason = $"before {number} → {number + 1}" })).Name);
        }

        Assert.Equal([automatic[^1], kept.Name], scenario.Store.List().Select(snapshot => snapshot.Name));
    }

    [Fact(Timeout = 300_000)]
    public async Task Of_scheduled_ones_the_newest_stays_and_they_push_no_other_out()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture, keep: 1);
        var automatic = await scenario.TakeAsync(new SnapshotRequest { Reason = "before 1 → 2" });
        await scenario.TakeAsync(new SnapshotRequest { Reason = SnapshotReason.Scheduled });
        var newest = await scenario.TakeAsync(new SnapshotRequest { Reason = SnapshotReason.Scheduled });

        Assert.Equal([newest.Name, automatic.Name], scenario.Store.List().Select(snapshot => snapshot.Name));
    }

    [Fact(Timeout = 300_000)]
    public async Task One_that_is_used_again_is_the_newest_and_is_kept_for_what_it_is_used_for()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture, keep: 1);
        var first = await scenario.TakeAsync(new SnapshotRequest { Reason = "before 1 → 2", Protect = true });
        var second = await scenario.TakeAsync(new SnapshotRequest { Reason = "before 2 → 3" });

        await scenario.Store.ReuseAsync(first, "before 3 → 4", TestContext.Current.CancellationToken);
        scenario.Store.Release(first.Name);
        Assert.Equal([second.Name], scenario.Store.Prune(scenario.Database.Name));

        await scenario.Store.ReuseAsync(scenario.Store.Find(first.Name)!, "before a reset", TestContext.Current.CancellationToken);
        await scenario.TakeAsync();
        await scenario.TakeAsync();
        Assert.Equal("before a reset", scenario.Store.Find(first.Name)!.Reason);
    }

    [Fact(Timeout = 300_000)]
    public async Task Two_snapshots_of_one_second_have_two_names()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture, time: new SettableTime(s_start));

        var names = await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ => (await scenario.TakeAsync()).Name));

        Assert.Equal(["2026-11-24T21-55-03Z_unversioned", "2026-11-24T21-55-03Z_unversioned-2"], names.Order());
        Assert.Equal(2, scenario.Store.List().Count);
    }

    [Fact(Timeout = 300_000)]
    public async Task What_a_killed_run_left_goes_with_the_next_snapshot_and_what_another_one_writes_stays()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        Directory.CreateDirectory(scenario.Store.Folder);
        foreach (var file in new[] { "2026-01-01T00-00-00Z_001.sql.gz.partial", "2026-01-01T00-00-00Z_002.json", "2026-01-01T00-00-00Z_003.protected", "2026-01-01T00-00-00Z_004.sql.gz.partial", "notes.json" })
        {
            var path = Path.Combine(scenario.Store.Folder, file);
            await File.WriteAllTextAsync(path, "{}", TestContext.Current.CancellationToken);
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(-5));
        }

        using var inUse = new FileStream(Path.Combine(scenario.Store.Folder, "2026-01-01T00-00-00Z_004.sql.gz.partial"), FileMode.Open, FileAccess.Write, FileShare.None);
        var snapshot = await scenario.TakeAsync();

        Assert.Equal(
            ["2026-01-01T00-00-00Z_004.sql.gz.partial", $"{snapshot.Name}.json", $"{snapshot.Name}.sql.gz", "notes.json"], scenario.Files);
    }

    [Fact(Timeout = 300_000)]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_this_user_can_read_snapshots()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other rights");
        using var scenario = await SnapshotScenario.CreateAsync(fixture);

        var snapshot = await scenario.TakeAsync();

        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(snapshot.File) & Others);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(scenario.Store.Folder) & Others);
    }

    private sealed class SettableTime(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
