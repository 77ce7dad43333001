using System.Diagnostics;

namespace UvlhubAspire.Bench;

/// <summary>Asks a site until it answers as it should. Tightly, and the same way for both sides.</summary>
/// <param name="port">Its port on the loopback address.</param>
internal sealed class Site(int port) : IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);
    private readonly HttpClient _client = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.Zero })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        Timeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>Waits for a page with status 200 and returns the seconds since <paramref name="since"/>.</summary>
    /// <param name="path">The page.</param>
    /// <param name="isRight">Whether the page is the one that is waited for.</param>
    /// <param name="since">A time stamp of <see cref="Stopwatch"/>.</param>
    /// <param name="limit">How long to ask.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="BenchException">It did not come in time.</exception>
    public async Task<double> WaitAsync(
        string path, Func<string, bool> isRight, long since, TimeSpan limit, CancellationToken cancellationToken)
    {
        var last = "no answer";
        while (Stopwatch.GetElapsedTime(since) < limit)
        {
            try
            {
                using var answer = await _client.GetAsync(path, cancellationToken);
                last = $"{(int)answer.StatusCode}";
                if (answer.StatusCode == System.Net.HttpStatusCode.OK && isRight(await answer.Content.ReadAsStringAsync(cancellationToken)))
                {
                    return Stopwatch.GetElapsedTime(since).TotalSeconds;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException
                || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                last = exception.Message;
            }

            await Task.Delay(s_pause, cancellationToken);
        }

        throw new BenchException(
            $"{_client.BaseAddress}{path.TrimStart('/')} did not answer as it should within {limit.TotalSeconds:0} s; the last answer: "
            + $"{last}");
    }

    /// <summary>Waits until the page is not there any more, so that what comes next is new.</summary>
    public async Task WaitUntilGoneAsync(string path, TimeSpan limit, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(since) < limit)
        {
            try
            {
                using var answer = await _client.GetAsync(path, cancellationToken);
                if (answer.StatusCode != System.Net.HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException
                || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                return;
            }

            await Task.Delay(5, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();
}
