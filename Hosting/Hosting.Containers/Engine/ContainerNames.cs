namespace UvlhubAspire.Hosting.Containers;

/// <summary>Reads containers' names.</summary>
public static class ContainerNames
{
    /// <summary>The name that the model gives a container; <see langword="null"/> for one that is made up.</summary>
    public static string? ContainerName(this IResource resource) =>
        resource.TryGetLastAnnotation<ContainerNameAnnotation>(out var annotation) ? annotation.Name : null;
}
