using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Says how containers are published.</summary>
internal static class PublishedExtensions
{
    /// <summary>Says what becomes of a container that leaves the machine.</summary>
    /// <typeparam name="T">The kind of resource.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="kind">What becomes of it.</param>
    /// <param name="probe">How its health is asked on the target; <see langword="null"/> if nobody asks.</param>
    public static IResourceBuilder<T> PublishedAs<T>(this IResourceBuilder<T> builder, PublishedKind kind, PublishedProbe? probe = null)
        where T : IResource
    {
        builder.WithAnnotation(new PublishedAs(kind), ResourceAnnotationMutationBehavior.Replace);
        return probe is null ? builder : builder.WithAnnotation(probe, ResourceAnnotationMutationBehavior.Replace);
    }
}
