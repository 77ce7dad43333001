using UvlhubAspire.AppHost.Services;

namespace UvlhubAspire.AppHost.Production;

/// <summary>
/// Has nginx ask another container under the site's name, by its own hosts file: it works for every checkout's
/// configuration. nginx then reads that again, as a whole and without dropping a connection.
/// </summary>
/// <param name="engine">The container engine.</param>
/// <param name="reload">How nginx reads its configuration again.</param>
/// <param name="nginx">nginx's container.</param>
/// <param name="names">The site's names in nginx's configuration.</param>
internal sealed class NginxSwitch(ContainerEngine engine, NginxReload reload, string nginx, IReadOnlyList<string> names)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_drain = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(300);

    // $1 is the host that is asked instead, the others are the names; without any, nginx goes back to asking the site.
    private const string Script = """
        target=$1; shift
        if [ $# -gt 0 ]; then address=$(getent hosts "$target" | cut -d' ' -f1); [ -n "$address" ] || { echo "nginx does not find $target" >&2; exit 1; }; fi
        (
            flock -w 10 9
            hosts=$(grep -v '#switched$\|#missing$' /etc/hosts; for name in "$@"; do echo "$address $name #switched"; done)
            printf '%s\n' "$hosts" >/etc/hosts
        ) 9>/tmp/hosts.lock
        """;

    /// <summary>Sends new requests to another container.</summary>
    /// <exception cref="DeploymentException">nginx did not do it, and asks whom it asked before.</exception>
    public Task ToAsync(string host, CancellationToken cancellationToken) => RunAsync([host, .. names], cancellationToken);

    /// <summary>Sends new requests to the site again.</summary>
    /// <exception cref="DeploymentException">nginx did not do it.</exception>
    public Task BackAsync(CancellationToken cancellationToken) => RunAsync(["-"], cancellationToken);

    /// <summary>Waits until what nginx has sent elsewhere before the last switch has been answered, for at most a minute.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_drain);
        try
        {
            // Workers with the old configuration say so in their title, and end with their last request. The brackets keep
            // the search from finding itself.
            while ((
                await engine.RunAsync(
                    s_limit, limit.Token, "exec", nginx, "sh", "-c",
                    "grep -lsa '[w]orker process is shutting down' /proc/[0-9]*/cmdline")).Output.Length > 0)
            {
                await Task.Delay(s_pause, limit.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // An upload that takes longer is asked again by its browser.
        }
    }

    private async Task RunAsync(IEnumerable<string> words, CancellationToken cancellationToken)
    {
        var switched = await engine.RunAsync(s_limit, cancellationToken, ["exec", nginx, "sh", "-c", Script, "sh", .. words]);
        var problem = switched.Succeeded ? await reload.RunAsync(nginx, cancellationToken) : switched.Error.Split('\n')[^1];
        if (problem is not null)
        {
            throw new DeploymentException($"nginx was not switched: {problem}");
        }
    }
}
