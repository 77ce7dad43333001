using UvlhubAspire.Hosting.Containers;

namespace Aspire.Hosting;

/// <summary>Marks containers for the <see cref="ImageResolver"/>.</summary>
public static class ContainerImageExtensions
{
    /// <summary>Names the stand-in for this container's image.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="folder">The folder with the stand-in's Dockerfile.</param>
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
