using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>What the services of uvlhub's own compose files have in common.</summary>
internal static class ServiceBuilderExtensions
{
    /// <summary>
    /// Adds a container for one of them. What the checkout's compose file says of its image, names, command, variables and
    /// engine options holds; the declaration is for a checkout that has none.
    /// </summary>
    /// <returns>The container's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddService(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, KnownService known)
    {
        if (!uvlhub.Services.Includes(known.Name))
        {
            return null;
        }

        var declared = uvlhub.Compose?.Service(known.Name);
        var service = builder.AddResource(new ContainerResource(known.Name))
            .WithImage(
                declared?.Image ?? known.Image ?? throw new ArgumentException($"{known.Name} has no image of its own", nameof(known)))
            .WithAnnotation(new ContainerImage(known.StandIn is null ? null : RepositoryFolder.StandIn(known.StandIn)))
            .WithServiceContainerName(uvlhub, known.Container)
            .WithCertificateTrustScope(CertificateTrustScope.None)
            .WithAutomaticRestart();
        foreach (var port in known.Ports)
        {
            service
                .WithEndpoint(targetPort: port.Target, name: port.Endpoint, scheme: port.Scheme)
                .WithHostPort(uvlhub.Ports.Of(known, port), port.Endpoint);
        }

        if (declared is null)
        {
            return service;
        }

        service
            .WithContainerRuntimeArgs([.. declared.Options.SelectMany(option => option.Words)])
            .WithEnvironment(context =>
            {
                foreach (var (key, value) in ServiceVariables.OfFiles(uvlhub, declared).SelectMany(file => file)
                    .Concat(ServiceVariables.Own(uvlhub, declared)))
                {
                    context.EnvironmentVariables[key] = value;
                }
            });
        return declared.Command is { } command ? service.WithArgs([.. command]) : service;
    }
}
