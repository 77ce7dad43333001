using System.Collections.Concurrent;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Several visitors that ask for the first page all the time, and what they were answered.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Task _visitors;
    private int _answered;

    /// <param name="site">The site's address.</param>
    /// <param name="visitors">How many ask at the same time.</param>
    /// <param name="connect">Makes what connects. Default: an ordinary client's.</param>
    public Load(Uri site, int visitors = 4, Func<HttpMessageHandler>? connect = null) =>
        _visitors = Task.WhenAll(Enumerable.Range(0, visitors).Select(_ => VisitAsync(site, connect?.Invoke() ?? new SocketsHttpHandler())));

    /// <summary>How many requests were answered well until now.</summary>
    public int Answered => _answered;

    /// <summary>What went wrong: every answer that is none of 2xx or 3xx, and every broken connection.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Ends the visits (again, without effect); the last request of each is waited for.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _visitors;
    }

    private async Task VisitAsync(Uri site, HttpMessageHandler connect)
    {
        using var client = new HttpClient(connect) { BaseAddress = site, Timeout = TimeSpan.FromSeconds(60) };
        while (!_end.IsCancellationRequested)
        {
            try
            {
                // Not ended half-way: a request that is under way counts.
                using var answer = await client.GetAsync("/", CancellationToken.None);
                if (answer.IsSuccessStatusCode)
                {
                    Interlocked.Increment(ref _answered);
                }
                else
                {
                    _failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {(int)answer.StatusCode}");
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
            {
                _failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {exception.Message}");
            }

            await Task.Delay(20, CancellationToken.None);
        }
    }
}
