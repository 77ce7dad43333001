using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Services;

/// <summary>
/// The hosts that nginx passes requests on to. It looks their names up once, when it reads its configuration: it does not
/// start while one is missing, and later keeps an address that may be somebody else's. So a name that is missing becomes
/// its own address, where nobody listens, which is its 502; and it reads its configuration again whenever one of them
/// starts or ends.
/// </summary>
/// <param name="configuration">Files and folders that are mounted into it.</param>
internal sealed partial class Upstreams(IEnumerable<string> configuration)
{
    /// <summary>Where nginx has its configuration.</summary>
    public const string Folder = "/etc/nginx/";

    /// <summary>The variable with the names, separated by spaces.</summary>
    public const string Variable = "UPSTREAMS";

    // Not 'sed -i', because the engine mounts the hosts file and it cannot be replaced; in one write, because nginx may be
    // reading it. One after the other, because several resources may start at the same time.
    private const string ResolveNames =
        "(flock -w 10 9; hosts=$(grep -v '#missing$' /etc/hosts); printf '%s\\n' \"$hosts\" >/etc/hosts; " +
        $"for name in ${Variable}; do getent hosts $name >/dev/null || echo \"127.0.0.1 $name #missing\" >>/etc/hosts; done) "
        + "9>/tmp/hosts.lock; ";

    private readonly Lazy<HashSet<string>> _words = new(() => WordsOf(configuration));

    /// <summary>What comes before the container's own command.</summary>
    public static IReadOnlyList<string> Before => ["sh", "-c", ResolveNames + "exec \"$@\"", "nginx"];

    /// <summary>The command of the image, where the checkout has none of its own.</summary>
    public static IReadOnlyList<string> Command => ["nginx", "-g", "daemon off;"];

    /// <summary>Has a running nginx look the names up again, without dropping a request.</summary>
    public static IReadOnlyList<string> Refresh => ["sh", "-c", ResolveNames + "nginx -s reload"];

    /// <summary>The resource's names that stand in the configuration; empty if it is no upstream.</summary>
    public IEnumerable<string> NamesOf(IResource resource) =>
        resource is not ContainerResource ? [] :
        new[] { resource.Name }
            .Concat(resource.Annotations.OfType<ContainerNameAnnotation>().Select(container => container.Name))
            .Concat(resource.Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias))
            .Where(_words.Value.Contains);

    // Words that could be host names; which of them are is seen by comparing them with the model.
    private static HashSet<string> WordsOf(IEnumerable<string> paths) => paths
        .SelectMany(path => Directory.Exists(path) ? Directory.EnumerateFiles(path, "*.conf") : [path])
        .SelectMany(File.ReadLines)
        .SelectMany(line => HostName().Matches(line.Split('#')[0]))
        .Select(match => match.Value)
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    [GeneratedRegex("[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")]
    private static partial Regex HostName();
}
