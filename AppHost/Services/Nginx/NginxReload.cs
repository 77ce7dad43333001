namespace UvlhubAspire.AppHost.Services;

/// <summary>
/// Has nginx read its configuration again, without dropping a request, and waits until nobody takes requests by the old
/// one. One after the other: nginx joins signals that come together, and who waits for the old workers to go would take
/// those of somebody else's reload, which read the configuration before his change, for his own.
/// </summary>
internal sealed class NginxReload(ContainerEngine engine) : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(300);
    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>Looks the upstreams' names up again and reads the configuration.</summary>
    /// <returns>Why it did not; <see langword="null"/> if it did.</returns>
    public async Task<string?> RunAsync(string nginx, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var before = await WorkersAsync(nginx, cancellationToken);
            var told = await engine.RunAsync(s_limit, cancellationToken, ["exec", nginx, .. Upstreams.Refresh]);
            if (!told.Succeeded)
            {
                return told.Error.Split('\n')[^1];
            }

            // The signal is taken at once; until new workers are there, those from before ask whom they asked before.
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_limit);
            do
            {
                await Task.Delay(s_pause, limit.Token);
            }
            while ((await WorkersAsync(nginx, limit.Token)).Overlaps(before));

            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"it did not read its configuration within {s_limit.TotalSeconds:0} s; its log says why";
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    // The processes that take new requests: those that end with their last one say so in their title.
    private async Task<HashSet<string>> WorkersAsync(string nginx, CancellationToken cancellationToken) => [.. (await engine.RunAsync(
        s_limit, cancellationToken, "exec", nginx, "sh", "-c",
        "grep -Lsa 'is shutting down' $(grep -lsa 'nginx: [w]orker process' /proc/[0-9]*/cmdline)"))
        .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
}
