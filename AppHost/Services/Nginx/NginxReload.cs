namespace UvlhubAspire.AppHost.Services;

/// <summary>
/// Has nginx read its configuration again, without dropping a request, and waits until nobody takes requests by the old
/// one. One after the other: nginx joins signals that come together, and who waits for the old workers to go would take
/// those of somebody else's reload, which read the configuration before his change, for his own.
/// </summary>
internal sealed class NginxReload(ContainerEngine engine) : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    // In one command, because each is a process here, one of the engine's and one in the container. The processes that take new requests
    // are its workers but those that end with their last one, which say so in their title. The signal is taken at once; until new workers
    // are there, those from before ask whom they asked before.
    private static readonly IReadOnlyList<string> s_script =
    [
        "sh", "-c",
        """
        workers() { grep -Lsa 'is shutting down' $(grep -lsa 'nginx: [w]orker process' /proc/[0-9]*/cmdline); }
        before=$(workers)
        "$@" || exit
        while sleep 0.3; do
            both=$(printf '%s\n' "$before" "$(workers)" | sort | uniq -d)
            [ -n "$both" ] || exit 0
        done
        """,
        "sh", .. Upstreams.Refresh,
    ];

    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>Looks the upstreams' names up again and reads the configuration.</summary>
    /// <returns>Why it did not; <see langword="null"/> if it did.</returns>
    public async Task<string?> RunAsync(string nginx, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var told = await engine.RunAsync(s_limit, cancellationToken, ["exec", nginx, "timeout", $"{s_limit.TotalSeconds:0}", .. s_script]);
            return told.ExitCode switch
            {
                0 => null,
                124 or 143 => $"it did not read its configuration within {s_limit.TotalSeconds:0} s; its log says why",
                _ => told.Error.Split('\n')[^1],
            };
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();
}
