namespace UvlhubAspire.Hosting.Containers;

/// <summary>What the model says of one container, read from its annotations without starting anything.</summary>
public sealed record ContainerFacts
{
    /// <summary>The container.</summary>
    public required ContainerResource Resource { get; init; }

    /// <summary>The image's full name; the one that the model names, before a stand-in takes its place.</summary>
    public required string Image { get; init; }

    /// <summary>How its image comes about; <see langword="null"/> if nothing is said of that.</summary>
    public required ContainerImage? Origin { get; init; }

    /// <summary>The container's name; <see langword="null"/> for one that is made up.</summary>
    public required string? ContainerName { get; init; }

    /// <summary>The command; a value that is only known later is an object that says how to get it.</summary>
    public required IReadOnlyList<object> Command { get; init; }

    /// <summary>The command's arguments as text, a value that is only known later as its expression.</summary>
    public IReadOnlyList<string> Arguments => [.. Command.Select(Text)];

    /// <summary>The variables; a value that is only known later is an object that says how to get it.</summary>
    public required IReadOnlyDictionary<string, object> Environment { get; init; }

    /// <summary>Options for the engine.</summary>
    public required IReadOnlyList<string> EngineOptions { get; init; }

    /// <summary>Folders and volumes.</summary>
    public IEnumerable<ContainerMountAnnotation> Mounts => Resource.Annotations.OfType<ContainerMountAnnotation>();

    /// <summary>Ports.</summary>
    public IEnumerable<EndpointAnnotation> Endpoints => Resource.Annotations.OfType<EndpointAnnotation>();

    /// <summary>The names by which other containers reach it.</summary>
    public IEnumerable<string> HostNames => Resource.HostNames();

    /// <summary>Reads them.</summary>
    /// <param name="container">The container.</param>
    /// <param name="context">What the model is built for.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ContainerFacts> ReadAsync(
        ContainerResource container, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var annotation in container.Annotations.OfType<EnvironmentCallbackAnnotation>().ToList())
        {
            await annotation.Callback(new EnvironmentCallbackContext(context, container, environment, cancellationToken));
        }

        List<object> arguments = [];
        foreach (var annotation in container.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToList())
        {
            await annotation.Callback(
                new CommandLineArgsCallbackContext(arguments, container, cancellationToken) { ExecutionContext = context });
        }

        List<object> options = [];
        foreach (var annotation in container.Annotations.OfType<ContainerRuntimeArgsCallbackAnnotation>().ToList())
        {
            await annotation.Callback(new ContainerRuntimeArgsCallbackContext(options, cancellationToken));
        }

        container.TryGetContainerImageName(out var image);
        return new ContainerFacts
        {
            Resource = container,
            Image = image ?? "",
            Origin = container.Annotations.OfType<ContainerImage>().LastOrDefault(),
            ContainerName = container.ContainerName(),
            Command = arguments,
            Environment = environment,
            EngineOptions = [.. options.Select(Text)],
        };
    }

    private static string Text(object value) =>
        value is IManifestExpressionProvider expression ? expression.ValueExpression : value.ToString() ?? "";
}
