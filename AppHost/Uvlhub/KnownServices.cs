namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>The services of uvlhub's own compose files that the model has resources of its own for.</summary>
internal static class KnownServices
{
    // Production's: one holds the engine's socket, the other waits for a script by hand. What is deployed does both otherwise.
    private static readonly string[] s_replaced = ["watchtower", "certbot"];

    /// <summary>Why a service of the compose file has no resource; <see langword="null"/> if it should have one.</summary>
    public static string? Replacement(string service) => s_replaced.Contains(service)
        ? "what it does, a service of the stack does that 'dotnet aspire deploy' brings to a server"
        : null;

    /// <summary>Their names, which are also the resources' names.</summary>
    public static IReadOnlySet<string> Names { get; } =
        new HashSet<string>([.. ServiceSelection.Always, .. ServiceSelection.Optional, .. s_replaced], StringComparer.Ordinal);
}
