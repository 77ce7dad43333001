using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace UvlhubAspire.TestSupport;

/// <summary>
/// Writes through the site as visitors do, at a steady rate, keeps what the site has acknowledged, and says afterwards what
/// became of it: <i>every row that was acknowledged is in the database, or in a named snapshot</i>.
/// <code>
/// await using var ledger = Ledger.Start(site, ratePerSecond: 5);
/// …                                                     // whatever may lose rows
/// await ledger.StopAsync();
/// var account = await ledger.AccountAsync(connectionString, snapshotFolder);
/// account.AssertNothingIsLost(atLeast: 20);
/// </code>
/// A write is one request: an upload (a row of <c>feature_model</c>), and now and then a sign-up (a row of <c>user</c>), which
/// costs the site much more. It is sent when it is due, whether or not the one before was answered, so that a stall shows
/// in the latency of each write that falls into it; and it is sent once.
/// </summary>
public sealed class Ledger : IAsyncDisposable
{
    private const int OneSignUpIn = 8;
    private static readonly TimeSpan s_answerLimit = TimeSpan.FromSeconds(30);
    private readonly ConcurrentQueue<LedgerWrite> _writes = new();
    private readonly ConcurrentQueue<Task> _sent = new();
    private readonly CancellationTokenSource _end = new();
    private readonly DateTimeOffset _begun = DateTimeOffset.UtcNow;
    private readonly long _begunTicks = Stopwatch.GetTimestamp();
    private readonly string _prefix = $"ledger-{Guid.NewGuid().ToString("n")[..8]}-";
    private readonly LedgerVisitor _visitor;
    private readonly TimeSpan _answerLimit;
    private readonly SemaphoreSlim _room;
    private readonly Task _sending;

    private Ledger(LedgerVisitor visitor, double ratePerSecond, TimeSpan answerLimit, int mostUnderWay)
    {
        (_visitor, _answerLimit, _room) = (visitor, answerLimit, new SemaphoreSlim(mostUnderWay));
        _sending = Task.Run(() => SendAsync(TimeSpan.FromSeconds(1 / ratePerSecond)));
    }

    /// <summary>What has ended until now.</summary>
    public IReadOnlyCollection<LedgerWrite> Writes => _writes;

    /// <summary>How many writes were acknowledged until now.</summary>
    public int Acknowledged => _writes.Count(write => write.Outcome == LedgerOutcome.Acknowledged);

    /// <summary>Begins to write. The site need not answer yet.</summary>
    /// <param name="site">The site's address.</param>
    /// <param name="ratePerSecond">How many writes a second.</param>
    /// <param name="connect">
    /// Makes what connects: TLS, a name that no name server knows. Cookies, redirects and connections are the ledger's own.
    /// Default: an ordinary one.
    /// </param>
    /// <param name="answerLimit">How long a write may take. Default: 30 seconds.</param>
    /// <param name="mostUnderWay">How many may be under way; beyond, none is sent, and each is kept as such.</param>
    public static Ledger Start(
        Uri site, double ratePerSecond, Func<SocketsHttpHandler>? connect = null, TimeSpan? answerLimit = null, int mostUnderWay = 100)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ratePerSecond);
        var visitor = new LedgerVisitor(site, connect?.Invoke() ?? new SocketsHttpHandler());
        return new Ledger(visitor, ratePerSecond, answerLimit ?? s_answerLimit, mostUnderWay);
    }

    /// <summary>Sends nothing any more, and waits for what is under way. Again: no effect.</summary>
    public async Task StopAsync()
    {
        await _end.CancelAsync();
        await _sending;
        await Task.WhenAll(_sent);
    }

    /// <summary>Looks for each write that has ended. The ledger may go on meanwhile.</summary>
    /// <param name="connectionString">The site's database.</param>
    /// <param name="snapshotFolder">
    /// The migrator's snapshots, its <c>Uvlhub:Snapshots:Path</c> or a folder in it. Default: none are looked at.
    /// </param>
    public Task<LedgerAccount> AccountAsync(
        string connectionString, string? snapshotFolder = null, CancellationToken cancellationToken = default) =>
        AccountAsync(LedgerRows.Of(connectionString), snapshotFolder, cancellationToken);

    /// <summary>The same where the database is reached otherwise.</summary>
    /// <param name="query">
    /// Runs a statement on the site's database and gives the first column, a row a line, as
    /// <c>docker exec DATABASE mariadb --batch --skip-column-names</c> does.
    /// </param>
    /// <inheritdoc cref="AccountAsync(string, string?, CancellationToken)"/>
    public async Task<LedgerAccount> AccountAsync(
        Func<string, CancellationToken, Task<string>> query, string? snapshotFolder = null, CancellationToken cancellationToken = default)
    {
        // First: what is acknowledged while the database is read cannot be found in it.
        var writes = _writes.ToList();
        var rows = await LedgerRows.InDatabaseAsync(query, _prefix, cancellationToken);
        var snapshots = snapshotFolder is null ? [] : await LedgerRows.InSnapshotsAsync(snapshotFolder, _prefix, cancellationToken);
        return new LedgerAccount([.. writes.OrderBy(write => write.Due).Select(write => new LedgerEntry(
            write,
            rows.GetValueOrDefault(write.Value),
            [.. snapshots.Where(snapshot => snapshot.Values.Contains(write.Value)).Select(snapshot => snapshot.Name)]))]);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _visitor.Dispose();
        _room.Dispose();
    }

    private async Task SendAsync(TimeSpan pause)
    {
        for (var number = 0; await IsDueAsync(number * pause); number++)
        {
            var due = number * pause;
            var value = $"{_prefix}{Guid.NewGuid():n}";
            // Only who has signed up may upload.
            var kind = number % OneSignUpIn == 0 || !_visitor.HasAccount ? LedgerKind.SignUp : LedgerKind.Upload;
            if (_room.Wait(0, CancellationToken.None))
            {
                _sent.Enqueue(Task.Run(() => WriteAsync(value, kind, due)));
            }
            else
            {
                Keep(value, kind, due, LedgerOutcome.NotSent, "too many were under way");
            }
        }
    }

    private async Task<bool> IsDueAsync(TimeSpan due)
    {
        if (due - Stopwatch.GetElapsedTime(_begunTicks) is { Ticks: > 0 } wait)
        {
            await Task.Delay(wait, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return !_end.IsCancellationRequested;
    }

    private async Task WriteAsync(string value, LedgerKind kind, TimeSpan due)
    {
        try
        {
            using var limit = new CancellationTokenSource(_answerLimit);
            await _visitor.WriteAsync(value, kind, limit.Token);
            Keep(value, kind, due, LedgerOutcome.Acknowledged, "");
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException)
        {
            Keep(value, kind, due, OutcomeOf(exception), exception.Message);
        }
        finally
        {
            _room.Release();
        }
    }

    private void Keep(string value, LedgerKind kind, TimeSpan due, LedgerOutcome outcome, string reason) =>
        _writes.Enqueue(new LedgerWrite(value, kind, _begun + due, Stopwatch.GetElapsedTime(_begunTicks) - due, outcome, reason));

    private static LedgerOutcome OutcomeOf(Exception exception) => exception switch
    {
        HttpRequestException { StatusCode: >= HttpStatusCode.InternalServerError } => LedgerOutcome.ServerError,
        HttpRequestException { StatusCode: not null } => LedgerOutcome.Refused,
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError,
        } => LedgerOutcome.NoConnection,
        _ => LedgerOutcome.NoAnswer,
    };
}
