using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>The container engine's socket.</summary>
public static partial class EngineSocket
{
    /// <summary>Why no container is given it.</summary>
    public const string Refusal = "no container is given the engine's socket: whoever has it is root on this machine (Uvlhub:EngineSocket)";

    private const int MostLinks = 40;

    private static readonly string[] s_names = ["docker.sock", "podman.sock", "containerd.sock"];

    // Where engines have theirs: a mount of a folder above it hands it over as well, under whatever name.
    private static readonly Lazy<string[]> s_places = new(() => [.. Places().Select(RealPath).Distinct(StringComparer.Ordinal)]);

    /// <summary>Whether a path of the host is the engine's socket, a link to it, or a folder that it lies in, by whatever links.</summary>
    public static bool Is(string? path)
    {
        if (path is null)
        {
            return false;
        }

        var real = RealPath(path);
        return s_names.Contains(Path.GetFileName(path), StringComparer.Ordinal)
            || s_names.Contains(Path.GetFileName(real), StringComparer.Ordinal)
            || s_places.Value.Any(place => place == real || place.StartsWith($"{real.TrimEnd('/')}/", StringComparison.Ordinal));
    }

    /// <summary>Mounts what a checkout names, unless a container would get the engine's socket by it.</summary>
    /// <typeparam name="T">The kind of resource.</typeparam>
    /// <param name="container">The container.</param>
    /// <param name="source">A file or folder of the host.</param>
    /// <param name="target">Where it is in the container.</param>
    /// <param name="isReadOnly">Whether the container must not write.</param>
    public static IResourceBuilder<T> WithCheckoutMount<T>(this IResourceBuilder<T> container, string source, string target, bool isReadOnly)
        where T : ContainerResource => Is(source) ? container : container.WithBindMount(source, target, isReadOnly);

    /// <summary>Says at the start that a container has it.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="container">The container.</param>
    public static void Announce(IDistributedApplicationBuilder builder, ContainerResource container) =>
        builder.Eventing.Subscribe<BeforeStartEvent>((start, _) =>
        {
            LogGiven(
                ((ILoggerFactory)start.Services.GetService(typeof(ILoggerFactory))!).CreateLogger("UvlhubAspire.Compose"), container.Name);
            return Task.CompletedTask;
        });

    private static IEnumerable<string> Places()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string?[] folders =
        [
            "/run", "/var/run", Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), .. Folders("/run/user"),
            Path.Combine(home, ".docker", "run"), Path.Combine(home, ".docker", "desktop"), .. Folders(Path.Combine(home, ".colima")),
        ];
        foreach (var folder in folders.OfType<string>().Where(folder => folder.Length > 0))
        {
            foreach (var socket in (string[])["docker.sock", "podman/podman.sock", "containerd/containerd.sock"])
            {
                yield return Path.Combine(folder, socket);
            }
        }

        // What the command line is told to talk to, for now or under a name.
        var contexts = Path.Combine(home, ".docker", "contexts", "meta");
        foreach (var text in Folders(contexts).Select(folder => Path.Combine(folder, "meta.json")).Where(File.Exists).Select(File.ReadAllText)
            .Append(Environment.GetEnvironmentVariable("DOCKER_HOST") ?? ""))
        {
            foreach (Match address in SocketAddress().Matches(text))
            {
                yield return address.Groups[1].Value;
            }
        }
    }

    private static string[] Folders(string folder)
    {
        try
        {
            return Directory.GetDirectories(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Component by component, as the engine resolves it: a link may stand anywhere in a path. What is not there stays as it is written.
    private static string RealPath(string path)
    {
        var full = Path.GetFullPath(path);
        var root = Path.GetPathRoot(full)!;
        var pending = new Stack<string>(Components(full[root.Length..]));
        var (real, links) = (root, 0);
        while (pending.TryPop(out var name))
        {
            var next = name == ".." ? Path.GetDirectoryName(real) ?? root : Path.Combine(real, name);
            if (links == MostLinks || LinkTarget(next) is not { } target)
            {
                real = next;
                continue;
            }

            links++;
            real = Path.IsPathRooted(target) ? root : real;
            foreach (var component in Components(target))
            {
                pending.Push(component);
            }
        }

        return real;

        // The last is pushed first.
        static IEnumerable<string> Components(string path) =>
            path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Where(name => name != ".").Reverse();
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"unix://(/[^""\s]+)")]
    private static partial Regex SocketAddress();

    [LoggerMessage(EventId = 603, Level = LogLevel.Warning, Message = "{Container} is given the engine's socket, because "
        + "Uvlhub:EngineSocket names it: whoever gets into it is root on this machine")]
    private static partial void LogGiven(ILogger logger, string container);
}
