using System.Text.RegularExpressions;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Why a pull or a build fails again and again on other people's machines, and what helps.</summary>
/// <param name="Pattern">What the engine, or a program of the build, says.</param>
/// <param name="Remedy">What to do, as the end of a sentence.</param>
/// <param name="IsNoAnswer">Whether nobody answered; every other cause is an answer.</param>
internal sealed record KnownCause(Regex Pattern, string Remedy, bool IsNoAnswer = false)
{
    // The first that fits counts: an answer's words may be wrapped in those of the connection that it came by.
    private static readonly KnownCause[] s_all =
    [
        new(Words("toomanyrequests|rate limit|429 Too Many"),
            "the registry's rate limit is reached: 'docker login' has one of its own, a later try may do"),
        new(Words("manifest unknown|manifest for .* not found|not found: manifest|: not found$|repository .* not found"),
            "the registry has no such image or tag: look at the name"),
        new(Words("pull access denied|unauthorized|authentication required|denied: "),
            "the registry does not let this machine in, or has no such repository: look at the name, or 'docker login'"),
        new(Words("no matching manifest for|does not match the specified platform|exec format error"),
            "the image is not made for this machine's processor: name one that is"),
        new(Words("no space left on device|disk quota exceeded"),
            "the engine's disk is full: 'docker system df' says with what"),
        new(Words("x509: |certificate verify failed|CERTIFICATE_VERIFY_FAILED|self-signed certificate|SSL certificate problem"),
            "whoever answers has a certificate that is not trusted here, as a proxy's may be: the engine, and the image's base, need "
            + "its authority"),
        new(Words("HTTP response to HTTPS client"),
            "the registry speaks no TLS: the engine takes such ones from its setting 'insecure-registries' alone"),
        new(Words(
                "no such host|server misbehaving|name resolution|Could not resolve|Temporary failure resolving|network is unreachable"
                + "|connection refused|no route to host|i/o timeout|TLS handshake timeout|deadline exceeded|Client.Timeout|timed out"
                + "|connection reset|Failed to establish a new connection|proxyconnect|ProxyError|Unable to connect|Connection failed"
                + @"|\b(?:ENOTFOUND|EAI_AGAIN|ETIMEDOUT)\b"),
            "nobody answers there: check the network, and the proxy or mirror that the engine is told of",
            IsNoAnswer: true),
    ];

    /// <summary>The cause of what was said; <see langword="null"/> for one that nobody has met.</summary>
    public static KnownCause? Find(string said) => s_all.FirstOrDefault(cause => cause.Pattern.IsMatch(said));

    private static Regex Words(string pattern) => new(pattern, RegexOptions.IgnoreCase | RegexOptions.Multiline);
}
