using System.Diagnostics;
using UvlhubAspire.Checkout;
using UvlhubAspire.UvlhubRunner.Tests.Runs;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

/// <summary>What a power cut would leave cannot be tried here; that the system is asked in the right order can.</summary>
public sealed class DurableFolderTests(MariaDBFixture fixture)
{
    [Fault(FaultArea.Migration, "the power fails when a snapshot has just been made")]
    [Fact(Timeout = 120_000), Trait("Needs", "strace")]
    public async Task A_snapshots_name_is_on_the_disk_before_it_is_said_that_there_is_one()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1)");
        using var folder = new TemporaryFolder();
        var trace = Path.Combine(folder.Path, "trace");
        var start = new ProcessStartInfo(
            "strace",
            ["-f", "-qq", "-y", "-e", "trace=rename,fsync", "-o", trace, RunnerExecutable.Command, .. RunnerExecutable.Arguments, "backup"])
        {
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in minihub.Settings)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var snapshot = (await process.StandardOutput.ReadToEndAsync(cancellation)).Trim();
        await process.WaitForExitAsync(cancellation);
        Assert.Equal(0, process.ExitCode);

        var calls = (await File.ReadAllLinesAsync(trace, cancellation)).Where(call => call.Contains(minihub.Snapshots, StringComparison.Ordinal))
            .Select(Describe).OfType<string>();
        Proof.Happens("the system is asked to write down the files, then their names, before the snapshot is used", () => Assert.Equal(
            ["fsync .sql.gz.partial", "fsync .json.partial", "rename .json", "fsync folder", "rename .sql.gz", "fsync folder"], calls));

        string? Describe(string call) =>
            call.Contains($"<{minihub.Snapshots}>", StringComparison.Ordinal) ? "fsync folder"
            : call.Contains("fsync(", StringComparison.Ordinal) ? $"fsync {Ending(call[..call.LastIndexOf('>')])}"
            : call.Contains("rename(", StringComparison.Ordinal) ? $"rename {Ending(call[..call.LastIndexOf('"')])}"
            : null;

        string Ending(string path) => path[(path.LastIndexOf(snapshot, StringComparison.Ordinal) + snapshot.Length)..];
    }
}
