namespace UvlhubAspire.Hosting.Containers;

/// <summary>A port on the host's loopback address that a setting chooses.</summary>
/// <param name="Setting">The setting's full name, for the message when the port is taken.</param>
/// <param name="Number">The port; <see langword="null"/> lets the system choose a free one.</param>
public sealed record HostPort(string Setting, int? Number)
{
    /// <summary>Why the system chooses it, where somebody would expect another; <see langword="null"/> if nobody would.</summary>
    public string? GivesWay { get; init; }
}

/// <summary>Ties an endpoint to the setting that chooses its port.</summary>
/// <param name="Port">The port and its setting.</param>
/// <param name="Endpoint">The endpoint's name.</param>
public sealed record HostPortAnnotation(HostPort Port, string Endpoint) : IResourceAnnotation;
