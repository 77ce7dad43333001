using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using UvlhubAspire.Checkout;
using UvlhubAspire.UvlhubRunner.Tests.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Alone: what the machine does besides is in the figures.</summary>
[CollectionDefinition(nameof(RehearsalCostTests), DisableParallelization = true)]
[Collection(nameof(RehearsalCostTests))]
public sealed partial class RehearsalCostTests
{
    // In megabytes, separated by spaces.
    private const string Sizes = "UVLHUB_REHEARSAL_SIZES";
    private const string DataFolder = "/var/lib/mysql";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Not a test: figures for <c>bench/results/rehearsal.txt</c>:
    /// <c>tests/UvlhubRunner.Tests/bin/Debug/net10.0/UvlhubRunner.Tests -explicit only -method '*.Cost_of_a_rehearsal'</c>.
    /// </summary>
    [Fact(Explicit = true, Timeout = 7_200_000)]
    public async Task Cost_of_a_rehearsal()
    {
        var sizes = Environment.GetEnvironmentVariable(Sizes) is { Length: > 0 } chosen ? chosen : "10 100 1000";
        var load = Load();
        var table = new StringBuilder();
        foreach (var megabytes in sizes.Split(' ').Select(size => int.Parse(size, CultureInfo.InvariantCulture)))
        {
            table.AppendLine(await MeasureAsync(megabytes));
        }

        var text = string.Create(CultureInfo.InvariantCulture, $"""
            Cost of a rehearsal, MariaDB and Flask in containers on {Environment.ProcessorCount} cores
            Made by: tests/UvlhubRunner.Tests/bin/Debug/net10.0/UvlhubRunner.Tests -explicit only -method '*.Cost_of_a_rehearsal'
            Load of the machine before and after (1 minute's average): {load}, {Load()}; the times are those of an idle machine only if both are below the cores
            The revision adds a column and fills it in every tenth row. Snapshot: made before in any case. Rehearsal: copy and revision. Migration: the same revision on the database itself, without a rehearsal.
            Room: what the server's disk had to hold more at the most during the rehearsal; afterwards: what was left of that.

             database  snapshot  (on disk)  rehearsal  (its copy)  migration     room  afterwards
            {table.ToString().TrimEnd()}

            """);
        var folder = Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "bench", "results");
        await File.WriteAllTextAsync(Path.Combine(folder, "rehearsal.txt"), text, Cancellation);
        TestContext.Current.SendDiagnosticMessage(text);
    }

    private static async Task<string> MeasureAsync(int megabytes)
    {
        await using var server = await MariaDBServer.StartAsync(Cancellation);
        var database = await server.CreateDatabaseAsync(Cancellation);
        await using var minihub = Minihub.Create(DatabasePlace.Of(database));
        minihub.Settings["Uvlhub__Migrator__FlaskTimeout"] = "01:00:00";
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        using (var scenario = SnapshotScenario.Of(database))
        {
            await FailedSnapshotTests.FillAsync(scenario, megabytes);
        }

        var table = await server.ExecAsync(Cancellation, "stat", "-c", "%s", $"{DataFolder}/{database.Name}/filler.ibd");
        var size = long.Parse(table.Stdout.Trim(), CultureInfo.InvariantCulture) / 1048576.0;
        minihub.WriteRevision(
            "005", "004", "op.add_column('filler', sa.Column('note', sa.String(50)))",
            "op.execute(\"UPDATE filler SET note = 'n' WHERE id % 10 = 0\")");

        var before = await UsedAsync(server);
        var rehearsing = minihub.SucceedAsync("plan", "--rehearse");
        var most = before;
        while (!rehearsing.IsCompleted)
        {
            most = Math.Max(most, await UsedAsync(server));
            await Task.Delay(100, Cancellation);
        }

        var rehearsal = (await rehearsing).Output;
        var left = await UsedAsync(server);
        minihub.Settings["Uvlhub__Migrator__Rehearse"] = "never";
        var migration = (await minihub.SucceedAsync()).Output;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{size,6:0} MB {Seconds(SnapshotTime(), rehearsal),7:0.0} s {Seconds(SnapshotSize(), rehearsal),7:0} MB {Seconds(RehearsalTime(), rehearsal),8:0.0} s "
            + $"{Seconds(CopyTime(), rehearsal),9:0.0} s {Seconds(MigrationTime(), migration),8:0.0} s {most - before,5:0} MB {left - before,8:0} MB");
    }

    private static double Seconds(Regex where, string output) => where.Match(output) is { Success: true } match
        ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
        : throw new InvalidOperationException($"'{where}' is not in\n{output}");

    // In megabytes. A table may be gone between two looks at the folder.
    private static async Task<double> UsedAsync(MariaDBServer server)
    {
        var used = await server.ExecAsync(Cancellation, "sh", "-c", $"du -sk {DataFolder} 2>/dev/null | cut -f1");
        return long.Parse(used.Stdout.Trim(), CultureInfo.InvariantCulture) / 1024.0;
    }

    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "not known";

    [GeneratedRegex(@"Snapshot [^\n]* MB, ([\d.]+) s")]
    private static partial Regex SnapshotTime();

    [GeneratedRegex(@"Snapshot [^\n]* ([\d.]+) MB, [\d.]+ s")]
    private static partial Regex SnapshotSize();

    [GeneratedRegex(@"The rehearsal passed in ([\d.]+) s")]
    private static partial Regex RehearsalTime();

    [GeneratedRegex(@"the copy took ([\d.]+) s of them")]
    private static partial Regex CopyTime();

    [GeneratedRegex(@"'flask db upgrade' done in ([\d.]+) s")]
    private static partial Regex MigrationTime();
}
