using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Services;

/// <summary>
/// Has nginx look the site's address up while it runs. The checkout's configuration has it looked up once, at the start:
/// nginx then knows one container of several, and after a replacement none that lives.
/// </summary>
internal static partial class DynamicUpstreams
{
    /// <summary>The engine's own name server, as every container of a network has it.</summary>
    public const string EngineResolver = "127.0.0.11";

    private const string ConnectTimeout = "proxy_connect_timeout";

    /// <summary>
    /// Rewrites a configuration: each <c>proxy_pass</c> to a host, or to an upstream of one server, becomes one to a
    /// variable. What it does not understand stays as it is.
    /// </summary>
    /// <param name="configuration">The text of an <c>nginx.conf</c>.</param>
    /// <param name="resolver">The name server to ask.</param>
    public static string Rewrite(string configuration, string resolver = EngineResolver)
    {
        var text = configuration.Replace("\r\n", "\n", StringComparison.Ordinal);
        var upstreams = Upstream().Matches(text)
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["server"].Value, StringComparer.Ordinal);
        var rewritten = new HashSet<string>(StringComparer.Ordinal);
        var kept = new HashSet<string>(StringComparer.Ordinal);
        text = ProxyPass().Replace(text, match =>
        {
            var host = match.Groups["host"].Value;
            var uri = match.Groups["uri"].Value;
            if (uri.Length > 0 || host.Contains('$', StringComparison.Ordinal))
            {
                // With an address inside the site, a variable would mean something else.
                kept.Add(host);
                return match.Value;
            }

            rewritten.Add(host);
            var indent = match.Groups["indent"].Value;
            return $"{indent}set $uvlhub_upstream {upstreams.GetValueOrDefault(host, host)};\n{indent}proxy_pass "
                + $"{match.Groups["scheme"].Value}://$uvlhub_upstream;";
        });
        if (rewritten.Count == 0)
        {
            return configuration;
        }

        text = Upstream().Replace(
            text, match => rewritten.Contains(match.Groups["name"].Value) && !kept.Contains(match.Groups["name"].Value) ? "" : match.Value);
        // A second, because that is how long a replaced container may still be asked for. A machine that is gone does not even
        // refuse: after two seconds, not nginx's sixty, another container is asked.
        var timeout = text.Contains(ConnectTimeout, StringComparison.Ordinal) ? "" : $"    {ConnectTimeout} 2s;\n";
        return Http().Replace(
            text, match => $"{match.Value}\n    resolver {resolver} valid=1s ipv6=off;\n    resolver_timeout 5s;\n{timeout}", 1);
    }

    [GeneratedRegex(@"^[ \t]*upstream\s+(?<name>\S+)\s*\{\s*server\s+(?<server>[^\s;]+)\s*;\s*\}[ \t]*\n?", RegexOptions.Multiline)]
    private static partial Regex Upstream();

    [GeneratedRegex(@"^(?<indent>[ \t]*)proxy_pass\s+(?<scheme>https?)://(?<host>[^/;\s]+)(?<uri>[^;]*);", RegexOptions.Multiline)]
    private static partial Regex ProxyPass();

    [GeneratedRegex(@"^[ \t]*http\s*\{", RegexOptions.Multiline)]
    private static partial Regex Http();
}
