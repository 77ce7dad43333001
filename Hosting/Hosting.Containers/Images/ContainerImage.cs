namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Says how a container comes by its image. The model keeps naming the real one; before the start the
/// <see cref="ImageResolver"/> puts in its place what can be had.
/// </summary>
/// <param name="StandIn">
/// The folder, with its Dockerfile, of what stands in where no registry answers; <see langword="null"/> if nothing can.
/// </param>
/// <param name="CheckoutBuild">A build of the checkout's own Dockerfile, if that is what the image is.</param>
/// <param name="BaseImages">What that Dockerfile starts from.</param>
public sealed record ContainerImage(string? StandIn, ImageRecipe? CheckoutBuild = null, IReadOnlyList<string>? BaseImages = null)
    : IResourceAnnotation
{
    /// <summary>What is built on the stand-in; <see langword="null"/> if the stand-in itself is run.</summary>
    public ImageRecipe? StandInBuild { get; init; }

    /// <summary>The image with its tag, where that is only asked for at the start; <see langword="null"/> if it has it already.</summary>
    public Func<CancellationToken, Task<ContainerImage>>? AtStart { get; init; }

    /// <summary>
    /// Asks why the stand-in has to stay although the real image may be had: what it wrote, for example. The answer is the end of a
    /// sentence; <see langword="null"/> if nothing holds it. Default: nothing does.
    /// </summary>
    public Func<CancellationToken, Task<string?>>? HeldBack { get; init; }

    /// <summary>What is run where no registry answers; <see langword="null"/> if nothing can.</summary>
    public ImageRecipe? StandInRecipe => StandInBuild ?? (StandIn is null ? null : ImageRecipe.StandIn(StandIn));
}

/// <summary>How the image that a container runs was built; a container without it runs one that was pulled.</summary>
/// <param name="Recipe">What is built.</param>
public sealed record BuiltImage(ImageRecipe Recipe) : IResourceAnnotation;
