using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Gives containers volumes that belong to one checkout.</summary>
internal static class CheckoutVolumeExtensions
{
    /// <summary>Mounts a volume that is labelled with the checkout's path; where another checkout's has the name, one with
    /// a suffix.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="wanted">The volume's name.</param>
    /// <param name="target">The folder inside the container.</param>
    /// <param name="isReadOnly">Whether the container must not write. Default: it may.</param>
    /// <param name="isNamedByUser">Whether the user chose the name, which is then taken as it is.</param>
    /// <param name="made">Is told of a volume that was made now.</param>
    public static IResourceBuilder<T> WithCheckoutVolume<T>(
        this IResourceBuilder<T> builder, string wanted, string target, bool isReadOnly = false,
        bool isNamedByUser = false, Func<string, CancellationToken, Task>? made = null)
        where T : ContainerResource
    {
        builder.WithVolume(wanted, target, isReadOnly);
        return builder.WithAnnotation(
            new CheckoutVolumeMount(builder.Resource.Annotations.OfType<ContainerMountAnnotation>().Last(), isNamedByUser, made));
    }

    /// <summary>Keeps what the container's image has in a folder, inside another folder that is mounted over it.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="folder">The folder inside the container.</param>
    public static IResourceBuilder<T> WithImageFolder<T>(this IResourceBuilder<T> builder, string folder)
        where T : ContainerResource
    {
        builder.WithVolume(folder);
        return builder.WithAnnotation(
            new ImageFolderMount(builder.Resource.Annotations.OfType<ContainerMountAnnotation>().Last()));
    }
}
