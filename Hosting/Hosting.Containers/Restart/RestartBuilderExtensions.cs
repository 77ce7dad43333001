using UvlhubAspire.Hosting.Containers;

namespace Aspire.Hosting;

/// <summary>Gives containers a restart policy.</summary>
public static class RestartBuilderExtensions
{
    /// <summary>
    /// Starts this container again when it dies: compose's <c>restart: always</c>, but with an end to a crash loop.
    /// What was stopped by hand, in the dashboard or with <c>docker stop</c>, stays stopped.
    /// </summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container.</param>
    /// <param name="policy">How often and how fast. Default: see <see cref="RestartPolicy"/>.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithAutomaticRestart<T>(this IResourceBuilder<T> builder, RestartPolicy? policy = null)
        where T : ContainerResource =>
        builder.WithAnnotation(policy ?? new RestartPolicy(), ResourceAnnotationMutationBehavior.Replace);
}
