namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// Says how a container comes by its image. The model keeps naming the real one; before the start the
/// <see cref="ImageResolver"/> puts in its place what can be had.
/// </summary>
/// <param name="StandIn">
/// The folder of <c>images/</c> that stands in where no registry answers; <see langword="null"/> if nothing can.
/// </param>
/// <param name="CheckoutBuild">A build of the checkout's own Dockerfile, if that is what the image is.</param>
/// <param name="BaseImages">What that Dockerfile starts from.</param>
internal sealed record ContainerImage(string? StandIn, ImageRecipe? CheckoutBuild = null, IReadOnlyList<string>? BaseImages = null)
    : IResourceAnnotation
{
    /// <summary>What is built on the stand-in; <see langword="null"/> if the stand-in itself is run.</summary>
    public ImageRecipe? StandInBuild { get; init; }

    /// <summary>What is run where no registry answers; <see langword="null"/> if nothing can.</summary>
    public ImageRecipe? StandInRecipe => StandInBuild ?? (StandIn is null ? null : ImageRecipe.StandIn(StandIn));
}

/// <summary>How the image that a container runs was built; a container without it runs one that was pulled.</summary>
/// <param name="Recipe">What is built.</param>
internal sealed record BuiltImage(ImageRecipe Recipe) : IResourceAnnotation;

/// <summary>Marks containers for the <see cref="ImageResolver"/>.</summary>
internal static class ContainerImageExtensions
{
    /// <summary>Names the stand-in for this container's image.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="folder">A folder of <c>images/</c>.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithStandIn<T>(this IResourceBuilder<T> builder, string folder)
        where T : ContainerResource =>
        builder.WithAnnotation(new ContainerImage(folder), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Runs an image that is built here.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="image">The image; it names a build.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithBuiltImage<T>(this IResourceBuilder<T> builder, ContainerImage image)
        where T : ContainerResource
    {
        var name = image.CheckoutBuild!.Image;
        var separator = name.LastIndexOf(':');
        return builder
            .WithImage(name[..separator], name[(separator + 1)..])
            .WithAnnotation(image, ResourceAnnotationMutationBehavior.Replace);
    }
}
