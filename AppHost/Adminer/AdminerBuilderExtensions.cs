using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.MariaDB;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Adminer;

/// <summary>Adds a page for the database.</summary>
internal static class AdminerBuilderExtensions
{
    private const string Image = "adminer:5.3.0";
    private const string HttpEndpointName = "http";

    /// <summary>
    /// Adds Adminer, which asks for the database's user and password. Off unless <c>Uvlhub:Services</c> has
    /// <c>+adminer</c>: no edition of uvlhub has it.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name; also the service's.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The server that it offers.</param>
    /// <returns>The page's builder; <see langword="null"/> if it is off.</returns>
    public static IResourceBuilder<ContainerResource>? AddAdminer(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub, IResourceBuilder<MariaDBServerResource> database) =>
        !uvlhub.Services.Includes(name) ? null : builder.AddService(name, uvlhub, Image, "adminer", "adminer_container")
            .WithHttpEndpoint(targetPort: 8080, name: HttpEndpointName)
            .WithHostPort(uvlhub.Ports.Adminer)
            .WithEnvironment("ADMINER_DEFAULT_SERVER", database.Resource.Name)
            .WithHttpHealthCheck("/", endpointName: HttpEndpointName)
            .WaitFor(database)
            .DiffersFromCompose(DriftAspect.Service, "a page for the database, because a setting asks for it (Uvlhub:Services)")
            .DiffersFromCompose(DriftAspect.Environment, "the page for the database knows where that is", "ADMINER_DEFAULT_SERVER")
            .WithIconName("TableSearch");
}
