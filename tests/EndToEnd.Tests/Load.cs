using System.Collections.Concurrent;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// Visitors of the sample site who come all the time: some read the first page, one has an account and uploads. A request
/// is sent once; one that fails, or waits for longer than people do, is a failure.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    /// <summary>Nobody waits for longer than this, unless a test says otherwise.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    // Uploads are looked at one by one afterwards.
    private static readonly TimeSpan s_pauseOfTheAuthor = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly List<Upload> _uploads = [];
    private readonly Func<Visitor> _visitor;
    private readonly TimeSpan _patience;
    private readonly Task _visits;
    private int _answered;

    /// <param name="site">The site's address.</param>
    /// <param name="readers">How many read at the same time.</param>
    /// <param name="connection">Makes what connects. Default: an ordinary client's.</param>
    /// <param name="patience">How long an answer may take. Default: <see cref="LongestWait"/>.</param>
    public Load(Uri site, int readers = 2, Func<SocketsHttpHandler>? connection = null, TimeSpan? patience = null)
    {
        _visitor = () => new Visitor(site, connection?.Invoke());
        _patience = patience ?? LongestWait;
        _visits = Task.WhenAll([UploadAsync(), .. Enumerable.Range(0, readers).Select(_ => ReadAsync())]);
    }

    /// <summary>Ends the visits: no request has failed, and enough were made, uploads among them.</summary>
    /// <param name="atLeast">How many requests prove something.</param>
    public async Task NothingHasFailedAsync(int atLeast = 50)
    {
        await DisposeAsync();
        Assert.Empty(_failures);
        Assert.True(_answered >= atLeast, $"only {_answered} requests were answered");
        Assert.NotEmpty(_uploads);
    }

    /// <summary>After the end: every upload that was acknowledged is on the site.</summary>
    public async Task UploadsAreThereAsync()
    {
        using var visitor = _visitor();
        foreach (var upload in _uploads)
        {
            Assert.Equal(upload.Text, await visitor.DownloadAsync(upload, TestContext.Current.CancellationToken));
        }
    }

    /// <summary>Ends the visits (again, without effect); the last request of each is waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _visits;
    }

    private async Task ReadAsync()
    {
        using var reader = _visitor();
        await VisitAsync(reader, s_pause, () => reader.ReadAsync("/", CancellationToken.None));
    }

    private async Task UploadAsync()
    {
        using var author = _visitor();
        var hasAccount = false;
        await VisitAsync(author, s_pauseOfTheAuthor, async () =>
        {
            if (!hasAccount)
            {
                await author.SignUpAsync(CancellationToken.None);
                hasAccount = true;
            }

            _uploads.Add(await author.UploadAsync(CancellationToken.None));
        });
    }

    private async Task VisitAsync(Visitor visitor, TimeSpan pause, Func<Task> visit)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                // Not ended half-way: a request that is under way counts.
                await visit();
                Interlocked.Increment(ref _answered);
            }
            catch (HttpRequestException failure)
            {
                _failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {failure.Message}");
            }

            await Task.Delay(pause, CancellationToken.None);
        }

        if (visitor.LongestWait > _patience)
        {
            _failures.Enqueue($"somebody waited {visitor.LongestWait.TotalSeconds:0.0} s for an answer");
        }
    }
}
