using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What a ledger makes of a site that does not answer as it should, and of a snapshot that is none.</summary>
public sealed partial class LedgerClientTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_write_whose_connection_breaks_is_sent_once_and_is_unacknowledged_but_not_lost()
    {
        await using var site = new BrokenSite(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        await using var ledger = Ledger.Start(site.Address, ratePerSecond: 50);
        await Eventually.IsAsync(() => Task.FromResult(ledger.Writes.Count), count => count >= 20);
        await ledger.StopAsync();

        var account = await ledger.AccountAsync(EmptyDatabase, cancellationToken: Cancellation);
        Assert.All(account.Entries, entry => Assert.Equal(LedgerOutcome.NoAnswer, entry.Write.Outcome));
        Assert.Empty(account.Nowhere);
        Assert.NotEmpty(account.SecondsOf(LedgerOutcome.NoAnswer));
        Assert.Empty(account.SecondsOf(LedgerOutcome.ServerError));
        Assert.Null(account.Latency(1));
        Assert.Equal(account.Entries.Select(entry => entry.Write.Value).Order(), site.Received.Order());
    }

    [Fact(Timeout = 30_000)]
    public async Task Beyond_the_most_that_may_be_under_way_nothing_is_sent_and_what_takes_too_long_is_given_up()
    {
        const int mostUnderWay = 3;
        await using var site = new BrokenSite(context => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await using var ledger = Ledger.Start(
            site.Address, ratePerSecond: 50, answerLimit: TimeSpan.FromSeconds(2), mostUnderWay: mostUnderWay);
        await Eventually.IsAsync(
            () => Task.FromResult(ledger.Writes.Count(write => write.Outcome == LedgerOutcome.NoAnswer)), count => count >= mostUnderWay);
        Assert.Contains(ledger.Writes, write => write.Outcome == LedgerOutcome.NotSent);
        await ledger.StopAsync();

        var account = await ledger.AccountAsync(EmptyDatabase, cancellationToken: Cancellation);
        Assert.Equal(account.Entries.Count(entry => entry.Write.Outcome == LedgerOutcome.NoAnswer), site.Received.Count);
        Assert.Equal(account.Entries, account.Unacknowledged);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(503, "", LedgerOutcome.ServerError)]
    [InlineData(302, "/login?next=%2F", LedgerOutcome.Refused)]
    [InlineData(200, "", LedgerOutcome.Refused)]
    [InlineData(302, "/", LedgerOutcome.Acknowledged)]
    public async Task Acknowledged_is_what_the_site_answers_when_it_has_written(int status, string place, LedgerOutcome outcome)
    {
        await using var site = new BrokenSite(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = place;
            return Task.CompletedTask;
        });
        await using var ledger = Ledger.Start(site.Address, ratePerSecond: 50);
        await Eventually.IsAsync(() => Task.FromResult(ledger.Writes.Count), count => count > 0);
        await ledger.StopAsync();

        var account = await ledger.AccountAsync(EmptyDatabase, cancellationToken: Cancellation);
        Assert.Equal(outcome, account.Entries[0].Write.Outcome);
        Assert.Equal(outcome == LedgerOutcome.Acknowledged, account.Nowhere.Count > 0);
        Assert.Equal(outcome == LedgerOutcome.ServerError, account.SecondsOf(LedgerOutcome.ServerError).Count > 0);
        Assert.NotNull(account.Latency(1));
    }

    [Fact(Timeout = 30_000)]
    public async Task Without_a_connection_nothing_is_sent_and_the_account_says_that_too_little_was_written()
    {
        await using var ledger = Ledger.Start(FreeAddress(), ratePerSecond: 50);
        await Eventually.IsAsync(() => Task.FromResult(ledger.Writes.Count), count => count > 0);
        await ledger.StopAsync();

        var account = await ledger.AccountAsync(EmptyDatabase, cancellationToken: Cancellation);
        Assert.All(account.Entries, entry => Assert.Equal(LedgerOutcome.NoConnection, entry.Write.Outcome));
        var failure = Assert.ThrowsAny<Exception>(() => account.AssertNothingIsLost(atLeast: 1));
        Assert.Contains("Only 0 writes were acknowledged", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_dump_that_was_cut_off_is_no_snapshot()
    {
        using var folder = new TemporaryFolder();
        folder.Write("cut-off.json", "{}");
        await using (var dump = new GZipStream(File.Create(Path.Combine(folder.Path, "cut-off.sql.gz")), CompressionLevel.Fastest))
        {
            await dump.WriteAsync("INSERT INTO `user` VALUES\n"u8.ToArray(), Cancellation);
        }

        await using var ledger = Ledger.Start(FreeAddress(), ratePerSecond: 1);
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => ledger.AccountAsync(EmptyDatabase, folder.Path, Cancellation));
        Assert.Contains("cut-off.sql.gz does not end with", failure.Message, StringComparison.Ordinal);
    }

    private static Task<string> EmptyDatabase(string sql, CancellationToken cancellationToken) => Task.FromResult("");

    // Where nobody listens.
    private static Uri FreeAddress()
    {
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        return new Uri($"http://{free.LocalEndpoint}/");
    }

    /// <summary>Gives out the form, and deals with what is sent as it likes.</summary>
    private sealed partial class BrokenSite : IAsyncDisposable
    {
        private readonly WebApplication _site;

        public BrokenSite(Func<HttpContext, Task> answer)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            _site = builder.Build();
            _site.Urls.Add(Address.AbsoluteUri);
            _site.Run(async context =>
            {
                if (HttpMethods.IsGet(context.Request.Method))
                {
                    await context.Response.WriteAsync("<input name=\"csrf_token\" type=\"hidden\" value=\"token\">");
                    return;
                }

                using var reader = new StreamReader(context.Request.Body);
                Received.Enqueue(Value().Match(await reader.ReadToEndAsync(context.RequestAborted)).Value);
                await answer(context);
            });
            _site.Start();
        }

        public Uri Address { get; } = FreeAddress();

        /// <summary>The value of every write that has arrived, each time.</summary>
        public ConcurrentQueue<string> Received { get; } = new();

        public async ValueTask DisposeAsync()
        {
            // What is never answered is not waited for.
            await _site.StopAsync(new CancellationToken(canceled: true));
            await _site.DisposeAsync();
        }

        [GeneratedRegex("ledger-[0-9a-f]{8}-[0-9a-f]{32}")]
        private static partial Regex Value();
    }
}
