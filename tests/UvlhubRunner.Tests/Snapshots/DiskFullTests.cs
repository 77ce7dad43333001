using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

/// <summary>Snapshots on a disk that has no room for them.</summary>
public sealed class DiskFullTests(MariaDBFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "the disk is too small for a snapshot")]
    [Fact(Timeout = 300_000)]
    public async Task A_disk_that_is_too_small_is_refused_before_the_dump_begins()
    {
        await using var disk = await SmallDisk.MountAsync(megabytes: 16);
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FailedSnapshotTests.FillAsync(scenario, megabytes: 4);
        var store = new SnapshotStore(Path.Combine(disk.Path, "snapshots"), keep: 5);

        var before = await scenario.ContentAsync();
        List<SnapshotProgress> dumped = [];

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => store.CreateAsync(
            scenario.Access, new SnapshotRequest(), new ImmediateProgress(dumped.Add), Token));

        Assert.Equal(SnapshotStore.SnapshotFailed, refusal.State);
        Proof.Reads("MB free", refusal.Problem);
        Proof.Happens("refused before the dump begins", () =>
        {
            Assert.Empty(dumped);
            Assert.Empty(Directory.EnumerateFiles(store.Folder));
        });
        Proof.Happens(
            "with the setting of the folder",
            () => Assert.Contains("Uvlhub:Snapshots:Path", refusal.Remedy, StringComparison.Ordinal));
        Proof.Data("every row and the schema are compared: as before", before, await scenario.ContentAsync());
    }

    [Fault(FaultArea.Migration, "the disk fills up during a snapshot")]
    [Fact(Timeout = 300_000)]
    public async Task A_disk_that_fills_up_during_the_dump_leaves_no_file_and_ends_the_dump()
    {
        await using var disk = await SmallDisk.MountAsync(megabytes: 80);
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FailedSnapshotTests.FillAsync(scenario, megabytes: 12);
        var store = new SnapshotStore(Path.Combine(disk.Path, "snapshots"), keep: 5);
        var filler = Path.Combine(disk.Path, "filler");
        var before = await scenario.ContentAsync();

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => store.CreateAsync(
            scenario.Access, new SnapshotRequest(), new ImmediateProgress(_ => Fill(filler)), Token));

        Proof.Reads("cannot be written", refusal.Problem);
        // The server learns a moment later that the program at the other end is gone.
        await Proof.HappensAsync("the dump ends", () => Eventually.IsAsync(
            () =>
                scenario.ReadAsync<long>(
                    "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"),
            connections => connections == 0,
            TimeSpan.FromSeconds(20),
            "the dump's connection to end"));
        Proof.Happens("and leaves no file", () => Assert.Empty(Directory.EnumerateFiles(store.Folder)));
        Proof.Data("every row and the schema are compared: as before", before, await scenario.ContentAsync());
    }

    private static void Fill(string file)
    {
        if (File.Exists(file))
        {
            return;
        }

        try
        {
            using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var zeros = new byte[1024 * 1024];
            while (true)
            {
                stream.Write(zeros);
            }
        }
        catch (IOException)
        {
            // Full, as wanted.
        }
    }
}
