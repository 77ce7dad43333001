using UvlhubAspire.AppHost.Services;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>The services of uvlhub's own compose files that the model has resources of its own for.</summary>
internal static class KnownServices
{
    /// <summary>Their names, which are also the resources' names.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>([.. ServiceSelection.Always, .. ServiceSelection.Optional], StringComparer.Ordinal);
}
