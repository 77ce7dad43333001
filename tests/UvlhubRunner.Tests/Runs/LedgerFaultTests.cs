using System.Globalization;
using UvlhubAspire.Engine;
using UvlhubAspire.UvlhubRunner.Tests.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>
/// Visitors write through the site, a migration goes wrong in one way after the other, at a random moment each time, and
/// every other time the whole machine goes down at that moment: as when its power fails, or as when its engine ends.
/// Afterwards all that the site has acknowledged is in the database or kept under a name that was said, and one verb gets
/// the site up again.
/// </summary>
public abstract class LedgerFaultTests
{
    private const int Rate = 3;
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);
    private static readonly ContainerEngine s_engine = new("docker");
    private Minihub? _minihub;

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The copy of the sample, which has a server of its own.</summary>
    private protected Minihub Minihub => _minihub!;

    /// <summary>A snapshot of before the first visitor.</summary>
    private protected string Backup { get; private set; } = "";

    /// <summary>What is done before the first visitor comes. Default: nothing.</summary>
    private protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>Starts what goes wrong.</summary>
    private protected abstract RunnerProcess Start();

    /// <summary>Waits for where it can go wrong. What happens is then made to happen at a random moment in the seconds after it.</summary>
    private protected virtual Task WaitAsync(RunnerProcess runner) => runner.WaitForAsync("-> 005", Cancellation);

    /// <summary>How long after that it can go wrong, in seconds.</summary>
    private protected virtual double Seconds => 3;

    /// <summary>What happens at that moment, if not the whole machine goes down. Default: nothing but what was started.</summary>
    private protected virtual Task HappenAsync(RunnerProcess runner) => Task.CompletedTask;

    /// <summary>What is done when it is over. Default: the revision is taken away.</summary>
    private protected virtual Task MendAsync()
    {
        Minihub.DeleteRevision("005");
        return Task.CompletedTask;
    }

    /// <summary>Kills containers of the copy and starts them again.</summary>
    private protected static async Task EngineAsync(params string[] arguments)
    {
        var result = await s_engine.RunAsync(s_limit, Cancellation, arguments);
        Assert.True(result.Succeeded, result.Error);
    }

    /// <summary>Does all that for each seed; with the odd ones the machine goes down, by turns without and with warning.</summary>
    private protected async Task RunAsync(params IEnumerable<int> seeds)
    {
        await using var server = await PinnedServer.CreateAsync(Cancellation);
        await using var minihub = _minihub = Minihub.Create(server.Place);
        await server.StartAsync(Cancellation);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        Backup = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await PrepareAsync();
        var site = await minihub.StartSiteAsync();
        List<string> lost = [], unnamed = [], down = [];
        foreach (var seed in seeds)
        {
            var random = new Random(seed);
            var machine = seed % 2 == 1;
            await using var ledger = Ledger.Start(site, Rate, answerLimit: TimeSpan.FromSeconds(10), mostUnderWay: 8);
            await AcknowledgedAsync(ledger, 6, default);

            using var runner = Start();
            await WaitAsync(runner);
            var moment = TimeSpan.FromSeconds(Seconds * random.NextDouble());
            await Task.Delay(moment, Cancellation);
            if (machine)
            {
                runner.Kill();
                string[] containers = [server.Place.Container, minihub.ToolboxName, minihub.SiteName];
                // An engine that ends asks its containers to end, and kills those that have not after as long.
                await EngineAsync([.. seed % 4 == 1 ? ["kill"] : new[] { "stop", "--time", "15" }, .. containers]);
                await MendAsync();
                await EngineAsync(["start", .. containers]);
            }
            else
            {
                await HappenAsync(runner);
            }

            var ended = await runner.WaitAsync(Cancellation);
            await MendAsync();
            var (next, said) = await GetUpAsync();
            var point = string.Create(
                CultureInfo.InvariantCulture, $"seed {seed}, after {moment.TotalSeconds:0.000} s{(machine ? seed % 4 == 1 ? ", the machine" : ", the engine" : "")}");
            said = $"{ended.Output}\n{said}";
            if (next.ExitCode != 0)
            {
                down.Add($"{point}:\n{said}");
                break;
            }

            var up = DateTimeOffset.UtcNow;
            await AcknowledgedAsync(ledger, 6, up, said);
            await ledger.StopAsync();
            await AccountAsync(ledger, point, said);
        }

        Proof.Happens("one verb gets the site up again", () => Assert.True(down.Count == 0, string.Join("\n\n", down)));
        Proof.Data(
            "every acknowledged row is in the database, or in a snapshot or a database that was named and is never deleted",
            () => Assert.True(lost.Count + unnamed.Count == 0, string.Join("\n\n", [.. lost, .. unnamed])));

        async Task AccountAsync(Ledger ledger, string point, string said)
        {
            var account = await ledger.AccountAsync(minihub.Database.RootConnectionString, minihub.Snapshots, Cancellation);
            var (kept, classes) = (await KeptAsync(ledger), await ClassesAsync());
            // What is kept under another name cannot be in a snapshot: it could not be dumped.
            var gone = account.Nowhere.Where(entry => !kept.Contains(entry.Write.Value)).ToList();
            if (gone.Count > 0 || account.WrittenTwice.Count > 0)
            {
                lost.Add($"{point}: {gone.Count} lost of\n{account}\n{said}");
            }

            unnamed.AddRange(account.InSnapshotAlone
                .Where(entry => !kept.Contains(entry.Write.Value) && !entry.Snapshots.Any(
                    name => said.Contains(name, StringComparison.Ordinal) && classes.GetValueOrDefault(name) is not (null or "automatic")))
                .Select(entry => $"{point}: {entry}\n{said}"));
            TestContext.Current.SendDiagnosticMessage(
                "{0}, {1}: {2} acknowledged, {3} in snapshots alone, {4} in other databases; {5} s of 5xx, {6} s without a connection",
                GetType().Name, point, account.Acknowledged.Count, account.InSnapshotAlone.Count, kept.Count,
                account.SecondsOf(LedgerOutcome.ServerError).Count,
                account.SecondsOf(LedgerOutcome.NoConnection, LedgerOutcome.NoAnswer).Count);
        }
    }

    // A verb, and the one that it names where it wants a person's word.
    private async Task<(RunResult Result, string Said)> GetUpAsync()
    {
        var first = await Minihub.RunAsync();
        if (first.ExitCode != 3)
        {
            return (first, first.Output);
        }

        var snapshot = (await Minihub.StatusAsync())["runs"]![0]!["snapshot"]!.GetValue<string>();
        Assert.Contains($"restore {snapshot}", first.Output, StringComparison.Ordinal);
        var second = await Minihub.RunAsync("restore", snapshot);
        return (second, $"{first.Output}\n{second.Output}");
    }

    private async Task<HashSet<string>> KeptAsync(Ledger ledger)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        var names = await Minihub.TextAsync(
            "SELECT COALESCE(GROUP_CONCAT(SCHEMA_NAME), '') FROM information_schema.SCHEMATA "
            + "WHERE SCHEMA_NAME LIKE 'uvlhub\\_runner\\_kept\\_%'");
        foreach (var name in names.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var place = Minihub.Database;
            var account = await ledger.AccountAsync(
                place.ConnectionString("root", place.RootPassword, name), cancellationToken: Cancellation);
            kept.UnionWith(account.InDatabase.Select(entry => entry.Write.Value));
        }

        return kept;
    }

    private async Task<Dictionary<string, string>> ClassesAsync() => (await Minihub.StatusAsync())["snapshots"]!.AsArray().ToDictionary(
        snapshot => snapshot!["name"]!.GetValue<string>(), snapshot => snapshot!["class"]!.GetValue<string>());

    private static async Task AcknowledgedAsync(Ledger ledger, int atLeast, DateTimeOffset after, string said = "")
    {
        try
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(ledger.Writes.Count(
                    write => write.Outcome == LedgerOutcome.Acknowledged && write.Ended > after) >= atLeast),
                TimeSpan.FromSeconds(90));
        }
        catch (TimeoutException)
        {
            var writes = string.Join('\n', ledger.Writes.OrderBy(write => write.Due).TakeLast(10));
            Assert.Fail($"the site does not acknowledge anything:\n{writes}\n{said}");
        }
    }
}

public sealed class FailingRevisionLedgerTests : LedgerFaultTests
{
    private const string Fault = "a revision fails after a while while visitors write through the site, or the machine goes down in it";

    private protected override RunnerProcess Start()
    {
        Minihub.WriteRevision(
            "005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "time.sleep(3)", "raise ValueError('no')");
        return Minihub.Start();
    }

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_revision_that_fails_loses_nothing() => RunAsync(1);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_revision_that_fails_twenty_times_loses_nothing() => RunAsync(Enumerable.Range(3, 20));
}

public sealed class KilledRevisionLedgerTests : LedgerFaultTests
{
    private const string Fault = "the migrator is killed in a revision while visitors write through the site";

    private protected override RunnerProcess Start()
    {
        Minihub.WriteRevision(
            "005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "time.sleep(3)",
            "op.execute(\"UPDATE user SET nickname = 'n'\")", "time.sleep(3)");
        return Minihub.Start();
    }

    private protected override double Seconds => 6;

    private protected override async Task HappenAsync(RunnerProcess runner)
    {
        runner.Kill();
        await runner.WaitAsync(Cancellation);
        // The site goes on with what is left.
        await Task.Delay(TimeSpan.FromSeconds(2), Cancellation);
    }

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_revision_that_is_killed_loses_nothing() => RunAsync(2);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_revision_that_is_killed_twenty_times_loses_nothing() => RunAsync(Enumerable.Range(3, 20));
}

/// <summary>What goes wrong in the undo of a revision that fails.</summary>
public abstract class UndoLedgerTests : LedgerFaultTests
{
    private protected override RunnerProcess Start()
    {
        Minihub.WriteRevision(
            "005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "time.sleep(1)", "raise ValueError('no')");
        return Minihub.Start();
    }

    private protected override Task WaitAsync(RunnerProcess runner) => runner.WaitForAsync("is locked out", Cancellation);

    private protected override double Seconds => 1;
}

public sealed class KilledUndoLedgerTests : UndoLedgerTests
{
    private const string Fault = "the migrator is killed in an undo while visitors write through the site, or the machine goes down in it";

    private protected override async Task HappenAsync(RunnerProcess runner)
    {
        runner.Kill();
        await runner.WaitAsync(Cancellation);
    }

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task An_undo_that_is_killed_loses_nothing() => RunAsync(1);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task An_undo_that_is_killed_twenty_times_loses_nothing() => RunAsync(Enumerable.Range(3, 20));
}

public sealed class KilledDatabaseLedgerTests : UndoLedgerTests
{
    private const string Fault = "MariaDB is killed in an undo while visitors write through the site";

    private protected override async Task HappenAsync(RunnerProcess runner)
    {
        await EngineAsync("kill", Minihub.Database.Container);
        await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        await EngineAsync("start", Minihub.Database.Container);
    }

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_database_that_is_killed_in_an_undo_loses_nothing() => RunAsync(2);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_database_that_is_killed_in_an_undo_twenty_times_loses_nothing() => RunAsync(Enumerable.Range(3, 20));
}

public sealed class FullDiskLedgerTests : UndoLedgerTests, IAsyncLifetime
{
    private const string Fault = "the snapshots' disk is full in an undo while visitors write through the site, or the machine goes down in it";
    private SmallDisk? _disk;

    private string Filler => Path.Combine(_disk!.Path, "filler");

    public async ValueTask InitializeAsync() => _disk = await SmallDisk.MountAsync(megabytes: 64);

    public async ValueTask DisposeAsync() => await (_disk?.DisposeAsync() ?? default);

    private protected override Task PrepareAsync()
    {
        Minihub.Settings["Uvlhub__Snapshots__Path"] = _disk!.Path;
        return Task.CompletedTask;
    }

    private protected override async Task WaitAsync(RunnerProcess runner)
    {
        await runner.WaitForAsync("-> 005", Cancellation);
        await File.WriteAllBytesAsync(Filler, new byte[40 * 1024 * 1024], Cancellation);
        await base.WaitAsync(runner);
    }

    private protected override Task MendAsync()
    {
        // There is room again.
        File.Delete(Filler);
        return base.MendAsync();
    }

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_full_disk_loses_nothing() => RunAsync(1);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_full_disk_loses_nothing_twenty_times() => RunAsync(Enumerable.Range(3, 20));
}

public sealed class InvalidViewLedgerTests : UndoLedgerTests
{
    private const string Fault =
        "a revision leaves a view that is not valid and fails while visitors write through the site, or the machine goes down in its undo";

    private protected override Task PrepareAsync() =>
        Minihub.ExecuteAsync("CREATE VIEW descriptions AS SELECT description FROM feature_model");

    private protected override RunnerProcess Start()
    {
        Minihub.WriteRevision(
            "005", "004", "op.execute('ALTER TABLE feature_model DROP COLUMN description')", "time.sleep(2)", "raise ValueError('no')");
        return Minihub.Start();
    }

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_view_that_is_not_valid_loses_nothing() => RunAsync(2);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_view_that_is_not_valid_loses_nothing_twenty_times() => RunAsync(Enumerable.Range(3, 20));
}

public sealed class NamedSchemaLedgerTests : LedgerFaultTests
{
    private const string Fault =
        "a revision names the database while visitors write through the site, or the machine goes down in its rehearsal";

    private protected override Task PrepareAsync()
    {
        Minihub.Settings["Uvlhub__Migrator__Rehearse"] = "always";
        return Task.CompletedTask;
    }

    private protected override RunnerProcess Start()
    {
        Minihub.WriteRevision("005", "004", "time.sleep(1)", $"op.execute('DELETE FROM {Minihub.Database.Name}.feature_model')");
        return Minihub.Start();
    }

    private protected override Task WaitAsync(RunnerProcess runner) => runner.WaitForAsync("Rehears", Cancellation);

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_revision_that_names_the_database_loses_nothing() => RunAsync(1);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_revision_that_names_the_database_loses_nothing_twenty_times() => RunAsync(Enumerable.Range(3, 20));
}

public sealed class RestoreLedgerTests : LedgerFaultTests
{
    private const string Fault = "a snapshot is restored while visitors write through the site, or the machine goes down in it";

    private protected override RunnerProcess Start() => Minihub.Start("restore", Backup);

    private protected override Task WaitAsync(RunnerProcess runner) => runner.WaitForAsync("is locked out", Cancellation);

    private protected override double Seconds => 1;

    [Fault(FaultArea.Migration, Fault)]
    [Fact(Timeout = 300_000)]
    public Task A_restore_loses_nothing() => RunAsync(2);

    [Fault(FaultArea.Migration, $"{Fault}, twenty times")]
    [Fact(Timeout = 2_400_000), Trait("Tier", "long")]
    public Task A_restore_loses_nothing_twenty_times() => RunAsync(Enumerable.Range(3, 20));
}
