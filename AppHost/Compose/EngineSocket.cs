namespace UvlhubAspire.AppHost.Compose;

/// <summary>The container engine's socket.</summary>
internal static class EngineSocket
{
    /// <summary>Why no container is given it.</summary>
    public const string Refusal = "no container is given the engine's socket: whoever has it is root on this machine";

    /// <summary>Whether a path of the host is the engine's socket.</summary>
    public static bool Is(string? path) =>
        path is not null && Path.GetFileName(path) is "docker.sock" or "podman.sock" or "containerd.sock";
}
