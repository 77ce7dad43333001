using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>The container engine's socket.</summary>
public static partial class EngineSocket
{
    /// <summary>Why no container is given it.</summary>
    public const string Refusal = "no container is given the engine's socket: whoever has it is root on this machine (Uvlhub:EngineSocket)";

    private static readonly string[] s_names = ["docker.sock", "podman.sock", "containerd.sock"];

    // Where engines have theirs: a mount of a folder above it hands it over as well, under whatever name.
    private static readonly string[] s_places =
    [
        .. from folder in (string?[])["/run", "/var/run", Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR")]
           where !string.IsNullOrEmpty(folder)
           from socket in (string[])["docker.sock", "podman/podman.sock", "containerd/containerd.sock"]
           select Path.Combine(folder, socket),
    ];

    /// <summary>Whether a path of the host is the engine's socket, a link to it, or a folder that it lies in.</summary>
    public static bool Is(string? path) =>
        path is not null && ((string[])[Path.GetFullPath(path), Target(Path.GetFullPath(path))]).Distinct().Any(candidate =>
            s_names.Contains(Path.GetFileName(candidate), StringComparer.Ordinal)
            || s_places.Any(place => place.StartsWith($"{candidate.TrimEnd('/')}/", StringComparison.Ordinal)));

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

    private static string Target(string path)
    {
        try
        {
            return (
                Directory.Exists(path)
                ? (FileSystemInfo)new DirectoryInfo(path)
                : new FileInfo(path)).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            return path;
        }
    }

    [LoggerMessage(EventId = 603, Level = LogLevel.Warning, Message = "{Container} is given the engine's socket, because "
        + "Uvlhub:EngineSocket names it: whoever gets into it is root on this machine")]
    private static partial void LogGiven(ILogger logger, string container);
}
