using System.Diagnostics;
using System.Globalization;
using UvlhubAspire.Checkout;
using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

/// <summary>Alone: the memory of this process is what is looked at.</summary>
[CollectionDefinition(nameof(LargeDatabaseTests), DisableParallelization = true)]
[Collection(nameof(LargeDatabaseTests))]
public sealed class LargeDatabaseTests(MariaDBFixture fixture)
{
    [Fact(Timeout = 300_000)]
    public async Task Memory_does_not_grow_with_the_database()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FailedSnapshotTests.FillAsync(scenario, megabytes: 30);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        long peak = 0;
        // What is still in use, not what nobody has collected yet.
        var watch = new ImmediateProgress(_ => peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: true)));

        var snapshot = await scenario.TakeAsync(progress: watch);
        await scenario.ExecuteAsync("DELETE FROM filler LIMIT 1");
        await scenario.RestoreAsync(snapshot, watch);

        Assert.True(snapshot.DumpBytes > 50_000_000, $"a dump of {snapshot.DumpBytes} bytes proves little");
        Assert.True(
            peak - before < snapshot.DumpBytes / 3,
            $"{(peak - before) / 1024 / 1024} MB more than before, for a dump of {snapshot.DumpBytes / 1024 / 1024} MB");
    }

    /// <summary>
    /// Not a test: figures for <c>bench/results/snapshots.txt</c>, in a process of its own so that its memory is this one's:
    /// <c>tests/UvlhubRunner.Tests/bin/Debug/net10.0/UvlhubRunner.Tests -explicit only -method '*.Snapshot_and_restore_of_200_MB'</c>.
    /// </summary>
    [Fact(Explicit = true, Timeout = 1_800_000)]
    public async Task Snapshot_and_restore_of_200_MB()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FailedSnapshotTests.FillAsync(scenario, megabytes: 200);
        var rows = await scenario.ReadAsync<long>("SELECT COUNT(*) FROM filler");
        // What the table statistics say is an estimate; a file on the server's disk has a size.
        var table = await scenario.Database.Server.ExecAsync(
            TestContext.Current.CancellationToken, "stat", "-c", "%s", $"/var/lib/mysql/{scenario.Database.Name}/filler.ibd");
        var load = Load();
        long peak = 0;
        var watch = new ImmediateProgress(_ => peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false)));

        var started = Stopwatch.GetTimestamp();
        var snapshot = await scenario.TakeAsync(progress: watch);
        var taking = Stopwatch.GetElapsedTime(started);
        started = Stopwatch.GetTimestamp();
        await new SnapshotLoader(snapshot).VerifyAsync(watch, TestContext.Current.CancellationToken);
        var verifying = Stopwatch.GetElapsedTime(started);
        started = Stopwatch.GetTimestamp();
        await scenario.RestoreAsync(snapshot, watch);
        var restoring = Stopwatch.GetElapsedTime(started);

        var megabytes = long.Parse(table.Stdout.Trim(), CultureInfo.InvariantCulture) / 1048576.0;
        var text = string.Create(CultureInfo.InvariantCulture, $"""
            Snapshot and restore of one database, MariaDB {snapshot.ServerVersion} in a container on {Environment.ProcessorCount} cores
            Made by: tests/UvlhubRunner.Tests/bin/Debug/net10.0/UvlhubRunner.Tests -explicit only -method '*.Snapshot_and_restore_of_200_MB'
            Load of the machine before and after (1 minute's average): {load}, {Load()}; the times are those of an idle machine only if both are below the cores

            database                {megabytes,8:0} MB on disk, {rows} rows whose bytes do not compress
            dump                    {snapshot.DumpBytes / 1048576.0,8:0} MB, compressed {snapshot.Bytes / 1048576.0:0} MB
            snapshot                {taking.TotalSeconds,8:0.0} s  {megabytes / taking.TotalSeconds,6:0} MB/s of the database (dump, counts, checksums, compression)
            verify                  {verifying.TotalSeconds,8:0.0} s  {megabytes / verifying.TotalSeconds,6:0} MB/s
            restore                 {restoring.TotalSeconds,8:0.0} s  {megabytes / restoring.TotalSeconds,6:0} MB/s (verify, load, compare)
            peak of managed memory  {peak / 1048576.0,8:0} MB
            peak of resident memory {ResidentPeak() / 1024.0,8:0} MB, the whole process with its test runner

            """);
        var folder = Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "bench", "results");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "snapshots.txt"), text, TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage(text);
    }

    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "not known";

    private static long ResidentPeak() => File.Exists("/proc/self/status")
        ? File.ReadLines("/proc/self/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)).First()
        : Process.GetCurrentProcess().PeakWorkingSet64 / 1024;
}
