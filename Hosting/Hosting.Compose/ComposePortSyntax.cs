using System.Globalization;

namespace UvlhubAspire.Hosting.Compose;

/// <summary>Reads compose's short form of a port: <c>[[address:]host:]container[/protocol]</c>, where each port may be a range.</summary>
public static class ComposePortSyntax
{
    /// <summary>The ports that one entry stands for.</summary>
    /// <exception cref="FormatException">The entry is malformed.</exception>
    public static IEnumerable<ComposePort> Parse(string text, SourceLine at)
    {
        var parts = text.Split('/');
        var protocol = parts.Length == 1 ? "tcp" : parts[1];
        if (parts.Length > 2)
        {
            throw Malformed(text);
        }

        // From the right, because an IPv6 address has colons of its own.
        var ports = parts[0];
        var (rest, container) = SplitLast(ports);
        var (address, host) = rest is null ? (null, null) : SplitLast(rest);
        return Combine(text, Trim(address), host, container, protocol, appProtocol: null, at);
    }

    /// <summary>The ports that a pair of ranges stands for.</summary>
    /// <exception cref="FormatException">A port is none, or the two ranges differ in length.</exception>
    public static IEnumerable<ComposePort> Combine(
        string text, string? address, string? host, string container, string protocol, string? appProtocol, SourceLine at)
    {
        if (protocol is not ("tcp" or "udp" or "sctp"))
        {
            throw new FormatException($"'{text}' has the protocol '{protocol}'; it can be tcp, udp or sctp");
        }

        var targets = Range(container, text);
        var published = string.IsNullOrEmpty(host) ? null : Range(host, text);
        if (published is not null && published.Count != targets.Count && targets.Count > 1)
        {
            throw new FormatException($"'{text}' has {published.Count} ports on the host for {targets.Count} in the container");
        }

        // One port of the container with a range on the host means: the first that is free. The model takes the first.
        return targets.Select((target, index) => new ComposePort(target, published?[index], address, protocol, appProtocol, at)).ToList();
    }

    private static IReadOnlyList<int> Range(string text, string whole)
    {
        var ends = text.Split('-');
        var first = Port(ends[0], whole);
        var last = ends.Length == 1 ? first : Port(ends[1], whole);
        return ends.Length > 2 || last < first
            ? throw Malformed(whole)
            : [.. Enumerable.Range(first, last - first + 1)];
    }

    private static int Port(string text, string whole) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw Malformed(whole);

    private static (string? Before, string After) SplitLast(string text)
    {
        var colon = text.EndsWith(']') ? -1 : text.LastIndexOf(':');
        return colon < 0 ? (null, text) : (text[..colon], text[(colon + 1)..]);
    }

    private static string? Trim(string? address) => address?.Trim('[', ']');

    private static FormatException Malformed(string text) =>
        new($"'{text}' is no port; write CONTAINER, HOST:CONTAINER or ADDRESS:HOST:CONTAINER, with /udp behind it if need be");
}
