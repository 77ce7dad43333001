using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Adds the load test.</summary>
internal static class LocustBuilderExtensions
{
    private const string HttpEndpointName = "http";

    /// <summary>Locust, on an image of the checkout's own.</summary>
    public static KnownService Locust { get; } = new(
        "locust", "locust_container")
    { Ports = [new("Locust", 8089, HttpEndpointName) { Scheme = "http" }] };

    /// <summary>
    /// Adds Locust from the checkout's <c>Dockerfile.locust</c>, with the checkout's locustfiles, to be started by hand in
    /// the dashboard. Its page starts and shows the load, against the address that the site has for other containers.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="site">The address of the site on the containers' network.</param>
    /// <returns>The load test's builder; <see langword="null"/> if the checkout has none.</returns>
    /// <exception cref="UserErrorException">The setting asks for it and the checkout has no Dockerfile for it.</exception>
    public static IResourceBuilder<ContainerResource>? AddLocust(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, string site)
    {
        if (!uvlhub.Services.Includes(Locust.Name))
        {
            return null;
        }

        var checkout = uvlhub.Checkout;
        var dockerfile = ServiceSelection.LocustDockerfile(checkout.Path);
        if (!File.Exists(dockerfile))
        {
            throw new UserErrorException(
                $"Uvlhub:Services asks for {Locust.Name}, but there is no {dockerfile} to build it from; leave it out");
        }

        var recipe = new ImageRecipe(
            $"{CheckoutImage.Name(checkout, Locust.Name)}:dev", dockerfile, checkout.Path, NeedsDebianBase: false, IsContentTagged: false);
        return builder.AddResource(new ContainerResource(Locust.Name))
            .WithImage(CheckoutImage.Name(checkout, Locust.Name), "dev")
            .WithAnnotation(new ContainerImage(RepositoryFolder.StandIn("locust"), recipe, Dockerfile.Read(dockerfile).BaseImages))
            .WithServiceContainerName(uvlhub, Locust.Container)
            .WithBindMount(checkout.Path, checkout.WorkingDirectory, isReadOnly: true)
            .WithEnvironment("WORKING_DIR", $"{checkout.WorkingDirectory}/")
            .WithEnvironment("PYTHONPATH", checkout.WorkingDirectory)
            .WithEnvironment("PYTHONDONTWRITEBYTECODE", "1")
            .WithEnvironment("LOCUST_HOST", site)
            .WithSiteRelationship()
            .WithHttpEndpoint(targetPort: 8089, name: HttpEndpointName)
            .WithHostPort(uvlhub.Ports.Of(Locust, Locust.Ports[0]))
            .WithHttpHealthCheck("/", endpointName: HttpEndpointName)
            .WithCertificateTrustScope(CertificateTrustScope.None)
            .WithAutomaticRestart()
            .WithExplicitStart()
            .DiffersFromCompose(DriftAspect.Service, "the load test stands ready beside the rest; no compose file has it")
            .WithIconName("Gauge");
    }
}
