using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Names containers as compose does.</summary>
internal static class ServiceNameExtensions
{
    /// <summary>Names the container as the checkout's compose file does, with the instance's prefix.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container; its name is the service's name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="container">The name, if the checkout's compose file has none.</param>
    public static IResourceBuilder<T> WithServiceContainerName<T>(
        this IResourceBuilder<T> builder, UvlhubEnvironment uvlhub, string container)
        where T : ContainerResource =>
        builder.WithContainerName(
            uvlhub.Names.ServiceContainer(uvlhub.Compose?.Service(builder.Resource.Name)?.ContainerName ?? container));
}
