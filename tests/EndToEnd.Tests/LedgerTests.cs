using System.Globalization;
using System.Text.RegularExpressions;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The ledger finds what was lost, and nothing else, on a real site that is quiet, crashes and stalls.</summary>
[Collection(ServicesGroup.Name)]
public sealed partial class LedgerTests(RunningServices services)
{
    // A password's hash is made to be slow; beside other tests the site must keep up.
    private const int Rate = 4;
    private const string Site = "web_app_container";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => services.Uvlhub;

    [Fact(Timeout = 60_000)]
    public async Task All_that_a_quiet_site_acknowledges_is_in_the_database_by_either_way_to_it()
    {
        const int atLeast = 12;
        var before = await RowsAsync();
        await using var ledger = await StartAsync();
        await AcknowledgedAsync(ledger, atLeast);
        await ledger.StopAsync();

        var account = await ledger.AccountAsync(await ConnectionStringAsync(), cancellationToken: Cancellation);
        account.AssertNothingIsLost(atLeast);
        Assert.True(account.Unacknowledged.Count == 0, account.ToString());
        Assert.Equal(account.Acknowledged, account.InDatabase);
        Assert.Equal([LedgerKind.SignUp, LedgerKind.Upload], account.InDatabase.Select(entry => entry.Write.Kind).Distinct().Order());
        Assert.Empty(account.SecondsOf(LedgerOutcome.ServerError, LedgerOutcome.NoConnection, LedgerOutcome.NoAnswer));
        Assert.InRange(account.Latency(0.99)!.Value, account.Latency(0.5)!.Value, account.Latency(1)!.Value);
        // Counted without a look at what the rows are called.
        Assert.Equal(before + account.Acknowledged.Count, await RowsAsync());

        var inside = await ledger.AccountAsync(QueryInsideAsync, cancellationToken: Cancellation);
        Assert.Equal(account.ToString(), inside.ToString());
        Assert.Equal(account.Acknowledged.Count, inside.InDatabase.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_acknowledged_row_that_is_deleted_is_named_with_its_time()
    {
        await using var ledger = await StartAsync();
        await AcknowledgedAsync(ledger, 1, LedgerKind.Upload);
        await ledger.StopAsync();
        var lost = Uploads(ledger)[^1];
        await DeleteAsync(lost);

        var account = await ledger.AccountAsync(await ConnectionStringAsync(), cancellationToken: Cancellation);

        Assert.Equal(lost, Assert.Single(account.Nowhere).Write);
        Assert.Equal(account.Acknowledged.Count - 1, account.InDatabase.Count);
        var failure = Assert.ThrowsAny<Exception>(() => account.AssertNothingIsLost(atLeast: 1));
        Assert.Contains("1 acknowledged writes are lost", failure.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"Upload {lost.Value}, acknowledged {lost.Ended:yyyy-MM-dd HH:mm:ss.fff} UTC", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_row_that_is_in_a_snapshot_alone_is_found_there_by_the_snapshots_name()
    {
        await using var ledger = await StartAsync();
        await AcknowledgedAsync(ledger, 2, LedgerKind.Upload);
        await ledger.StopAsync();
        var (lost, kept) = (Uploads(ledger)[0], Uploads(ledger)[1]);
        // One is gone before the snapshot, the other after it.
        await DeleteAsync(lost);
        var snapshot = await MigratorAsync("backup");
        await DeleteAsync(kept);
        var folder = SnapshotFolder().Match(await MigratorAsync("snapshots")).Groups[1].Value;
        try
        {
            var account = await ledger.AccountAsync(await ConnectionStringAsync(), folder, Cancellation);

            Assert.Equal(lost, Assert.Single(account.Nowhere).Write);
            var found = Assert.Single(account.InSnapshotAlone);
            Assert.Equal((kept, snapshot), (found.Write, Assert.Single(found.Snapshots)));
            // A snapshot takes nothing away: what is in the database too counts as there.
            Assert.All(account.InDatabase, entry => Assert.Equal([snapshot], entry.Snapshots));
            Assert.Equal(account.Acknowledged.Count - 2, account.InDatabase.Count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_site_that_is_killed_shows_failed_seconds_and_loses_nothing()
    {
        await using var ledger = await StartAsync();
        await AcknowledgedAsync(ledger, 4);

        await services.CrashAsync(Site);
        var failed = await Eventually.IsAsync(
            () => Task.FromResult(ledger.Writes.FirstOrDefault(write => write.Outcome != LedgerOutcome.Acknowledged)),
            write => write is not null);
        await AcknowledgedAsync(ledger, 4, after: failed!.Ended);
        await ledger.StopAsync();

        var account = await ledger.AccountAsync(await ConnectionStringAsync(), cancellationToken: Cancellation);
        account.AssertNothingIsLost(atLeast: 8);
        Assert.NotEmpty(account.SecondsOf(LedgerOutcome.ServerError, LedgerOutcome.NoConnection, LedgerOutcome.NoAnswer));
        Assert.DoesNotContain(account.Entries, entry => entry.Write.Outcome == LedgerOutcome.NotSent);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_site_that_stands_still_shows_in_the_latency_of_all_that_was_due_meanwhile()
    {
        var pause = TimeSpan.FromSeconds(3);
        await using var ledger = await StartAsync();
        await AcknowledgedAsync(ledger, 4);

        // The kernel may find a process that cannot be frozen at the moment.
        await Eventually.TrueAsync(
            async () => (await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "container", "pause", Uvlhub.ContainerOf(Site))).Succeeded,
            what: "the site to stand still");
        var paused = DateTimeOffset.UtcNow;
        try
        {
            await Task.Delay(pause, Cancellation);
        }
        finally
        {
            await Uvlhub.EngineAsync(s_limit, CancellationToken.None, "container", "unpause", Uvlhub.ContainerOf(Site));
        }

        await AcknowledgedAsync(ledger, 4, after: paused + pause);
        await ledger.StopAsync();

        var account = await ledger.AccountAsync(await ConnectionStringAsync(), cancellationToken: Cancellation);
        account.AssertNothingIsLost(atLeast: 8);
        // Each was sent when it was due, and waited until the pause was over.
        var meanwhile = account.Entries.Where(entry => entry.Write.Due > paused && entry.Write.Due < paused + pause).ToList();
        Assert.InRange(meanwhile.Count, (int)(Rate * pause.TotalSeconds) - 1, (int)(Rate * pause.TotalSeconds) + 1);
        Assert.All(meanwhile, entry => Assert.True(entry.Write.Ended >= paused + pause, account.ToString()));
        Assert.True(account.Latency(1) >= meanwhile[0].Write.Latency, account.ToString());
    }

    // The test before may have killed the site.
    private async Task<Ledger> StartAsync()
    {
        await Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("web", Cancellation);
        using var client = Uvlhub.CreateClient();
        await Eventually.TrueAsync(async () => (await client.GetAsync("/signup", Cancellation)).IsSuccessStatusCode);
        return Ledger.Start(Uvlhub.SiteUrl, Rate);
    }

    private static Task AcknowledgedAsync(Ledger ledger, int atLeast, LedgerKind? kind = null, DateTimeOffset after = default) =>
        Eventually.IsAsync(
            () => Task.FromResult(ledger.Writes.Count(write =>
                write.Outcome == LedgerOutcome.Acknowledged && write.Kind == (kind ?? write.Kind) && write.Ended > after)),
            count => count >= atLeast,
            what: $"{atLeast} acknowledged writes");

    private static List<LedgerWrite> Uploads(Ledger ledger) =>
        [.. ledger.Writes.Where(write => write is { Kind: LedgerKind.Upload, Outcome: LedgerOutcome.Acknowledged })];

    private Task<string> ConnectionStringAsync() => Uvlhub.ConnectionStringAsync("uvlhubdb", Cancellation);

    // As in Production, where the database has no port.
    private async Task<string> QueryInsideAsync(string sql, CancellationToken cancellationToken)
    {
        var settings = new MySqlConnectionStringBuilder(await ConnectionStringAsync());
        return await Uvlhub.EngineAsync(
            s_limit, cancellationToken, "exec", "--env", $"MYSQL_PWD={settings.Password}", Uvlhub.ContainerOf("mariadb_container"),
            "mariadb", $"--user={settings.UserID}", "--batch", "--skip-column-names", "--execute", sql, settings.Database);
    }

    private async Task<int> RowsAsync() => int.Parse(
        await Uvlhub.ScalarAsync("uvlhubdb", "SELECT (SELECT COUNT(*) FROM user) + (SELECT COUNT(*) FROM feature_model)", Cancellation),
        CultureInfo.InvariantCulture);

    private async Task DeleteAsync(LedgerWrite upload)
    {
        var delete = $"DELETE FROM feature_model WHERE title = '{upload.Value}'; SELECT ROW_COUNT()";
        Assert.Equal("1", await Uvlhub.ScalarAsync("uvlhubdb", delete, Cancellation));
    }

    private async Task<string> MigratorAsync(string verb)
    {
        var result = await Uvlhub.RunCommandAsync("migrator", verb, [], Cancellation);
        Assert.True(result.Success, result.Message);
        return result.Data?.Value.Trim() ?? "";
    }

    // '2 snapshots of uvlhubdb in FOLDER, the newest first; …'
    [GeneratedRegex(" in (.+), the newest first")]
    private static partial Regex SnapshotFolder();
}
