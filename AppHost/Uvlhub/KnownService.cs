using System.Reflection;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// A service of uvlhub's compose files that the model has a resource of its own for. It is declared once, as a static
/// property beside the extension that adds it; the settings of its ports, the selection of services and the comparison with
/// the compose file have it from there.
/// </summary>
/// <param name="Name">Its name in compose files, which is also the resource's and its host name.</param>
/// <param name="Container">The container's name, where the checkout's compose file has none.</param>
/// <param name="Image">The image, where the file has none; <see langword="null"/> if it is the checkout's own.</param>
/// <param name="StandIn">The folder of <c>images/</c> that stands in for the image; <see langword="null"/> if nothing can.</param>
internal sealed record KnownService(string Name, string Container, string? Image = null, string? StandIn = null)
{
    /// <summary>The ports that people or tests open.</summary>
    public IReadOnlyList<ServicePort> Ports { get; init; } = [];

    /// <summary>The service that it is of no use without; <see langword="null"/> if there is none.</summary>
    public string? Needs { get; init; }

    /// <summary>All that are declared.</summary>
    public static IReadOnlyList<KnownService> All { get; } =
    [
        .. typeof(KnownService).Assembly.GetTypes().Where(type => type is { IsAbstract: true, IsSealed: true })
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(property => property.PropertyType == typeof(KnownService))
            .Select(property => (KnownService)property.GetValue(null)!)
            .OrderBy(service => service.Name, StringComparer.Ordinal),
    ];
}

/// <summary>A port of a <see cref="KnownService"/>.</summary>
/// <param name="Setting">The setting's name below <c>Uvlhub:Ports</c>.</param>
/// <param name="Target">The port inside the container.</param>
/// <param name="Endpoint">The endpoint's name.</param>
internal sealed record ServicePort(string Setting, int Target, string Endpoint)
{
    /// <summary>The port on the host, where neither a setting nor the compose file has one; 0 is any. Default: the same as
    /// inside.</summary>
    public int Default { get; init; } = Target;

    /// <summary>What is spoken on it. Default: nothing that Aspire knows.</summary>
    public string Scheme { get; init; } = "tcp";
}
