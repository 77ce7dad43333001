using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.Restart;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Services;

/// <summary>What the services of uvlhub's own compose files have in common.</summary>
internal static class ServiceBuilderExtensions
{
    /// <summary>
    /// Adds a container for one of them. What the checkout's compose file says of its image, names, command, variables and
    /// engine options holds; the arguments are for a checkout that does not declare it.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name, which is the service's name and its host name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="image">The image.</param>
    /// <param name="standIn">The folder of <c>images/</c> that stands in for it; <see langword="null"/> if nothing can.</param>
    /// <param name="container">The container's name.</param>
    /// <returns>The container's builder.</returns>
    public static IResourceBuilder<ContainerResource> AddService(
        this IDistributedApplicationBuilder builder, string name, UvlhubEnvironment uvlhub, string image, string? standIn, string container)
    {
        var declared = uvlhub.Compose?.Service(name);
        var service = builder.AddResource(new ContainerResource(name))
            .WithImage(declared?.Image ?? image)
            .WithAnnotation(new ContainerImage(standIn))
            .WithServiceContainerName(uvlhub, container)
            .WithCertificateTrustScope(CertificateTrustScope.None)
            .WithAutomaticRestart();
        if (declared is null)
        {
            return service;
        }

        service
            .WithContainerRuntimeArgs([.. declared.Options.SelectMany(option => option.Words)])
            .WithEnvironment(context =>
            {
                foreach (var (key, value) in Variables(declared))
                {
                    context.EnvironmentVariables[key] = value;
                }
            });
        return declared.Command is { } command ? service.WithArgs([.. command]) : service;
    }

    /// <summary>Names the container as the checkout's compose file does, with the instance's prefix.</summary>
    /// <typeparam name="T">The kind of container.</typeparam>
    /// <param name="builder">The container; its name is the service's name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="container">The name, if the checkout's compose file has none.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithServiceContainerName<T>(this IResourceBuilder<T> builder, UvlhubEnvironment uvlhub, string container)
        where T : ContainerResource =>
        builder.WithContainerName(uvlhub.Names.ServiceContainer(uvlhub.Compose?.Service(builder.Resource.Name)?.ContainerName ?? container));

    private static IEnumerable<KeyValuePair<string, string>> Variables(Compose.ComposeService service) =>
    [
        .. service.EnvironmentFiles.Where(file => File.Exists(file.Path)).SelectMany(file => DotEnvFile.Read(file.Path).Values),
        .. from variable in service.Environment
           let value = variable.Value ?? Environment.GetEnvironmentVariable(variable.Name)
           where value is not null
           select new KeyValuePair<string, string>(variable.Name, value),
    ];
}
