namespace UvlhubAspire.AppHost.Publishing;

/// <summary>
/// Draws the model as a graph in Graphviz's DOT language: a box for each resource with its image, an arrow to what it waits
/// for, a dotted one to what it just uses. Documentation shows this picture, so it cannot tell of another topology than the one that runs.
/// </summary>
internal static class TopologyDrawing
{
    private const string Style =
        """
          bgcolor=white; nodesep=0.5; ranksep=0.55
          node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#4a6fa5", fontname="Helvetica", fontsize=13]
          edge [color="#7a7a7a", fontname="Helvetica", fontsize=10, fontcolor="#555555"]
        """;

    /// <summary>Draws it, line by line.</summary>
    public static IEnumerable<string> Write(DistributedApplicationModel model)
    {
        var drawn = model.Resources.Where(IsDrawn).ToList();
        return
        [
            "digraph uvlhub {",
            Style,
            .. drawn.Select(resource => $"  {Quote(resource.Name)} [label={Quote(Label(resource))}{Shape(resource)}]"),
            .. drawn.SelectMany(Arrows),
            "}",
        ];
    }

    // Parameters and the like are settings of resources, not parts of the topology.
    private static bool IsDrawn(IResource resource) =>
        resource is ContainerResource or ExecutableResource or ProjectResource or IResourceWithParent { Parent: ContainerResource };

    private static IEnumerable<string> Arrows(IResource resource)
    {
        if (resource is IResourceWithParent { Parent: var server })
        {
            yield return $"  {Quote(resource.Name)} -> {Quote(server.Name)} [style=dashed, label=\"on\"]";
        }

        var waits = resource.Annotations.OfType<WaitAnnotation>().Where(wait => IsDrawn(wait.Resource)).DistinctBy(wait => wait.Resource)
            .ToList();
        foreach (var reference in resource.Annotations.OfType<ResourceRelationshipAnnotation>()
            .Select(relationship => relationship.Resource)
            .Where(other => IsDrawn(other) && other != resource && waits.All(wait => wait.Resource != other))
            .Distinct())
        {
            yield return $"  {Quote(resource.Name)} -> {Quote(reference.Name)} [style=dotted]";
        }

        foreach (var wait in waits)
        {
            yield return $"  {Quote(resource.Name)} -> {Quote(wait.Resource.Name)} [label=\"{Until(wait.WaitType)}\"]";
        }
    }

    private static string Label(IResource resource) =>
        resource.TryGetContainerImageName(out var image) ? $"{resource.Name}\n{image}" : resource.Name;

    private static string Shape(IResource resource) => resource switch
    {
        IResourceWithParent => ", shape=cylinder",
        ContainerResource => "",
        _ => ", fillcolor=\"#fdf6e3\"",
    };

    private static string Until(WaitType type) => type switch
    {
        WaitType.WaitForCompletion => "after it has finished",
        WaitType.WaitUntilStarted => "after its start",
        _ => "once healthy",
    };

    private static string Quote(string text) =>
        $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
