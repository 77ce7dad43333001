namespace UvlhubAspire.Hosting.Containers;

/// <summary>Reads containers' names.</summary>
public static class ContainerNames
{
    /// <summary>The name that the model gives a container; <see langword="null"/> for one that is made up.</summary>
    public static string? ContainerName(this IResource resource) =>
        resource.TryGetLastAnnotation<ContainerNameAnnotation>(out var annotation) ? annotation.Name : null;

    /// <summary>The names by which other containers reach a container.</summary>
    public static IEnumerable<string> HostNames(this ContainerResource container) =>
    [
        container.Name, .. container.Annotations.OfType<ContainerNetworkAliasAnnotation>().Select(alias => alias.Alias),
        .. container.ContainerName() is { } name ? [name] : Array.Empty<string>(),
    ];
}
