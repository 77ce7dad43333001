using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Adds a page for the database.</summary>
internal static class AdminerBuilderExtensions
{
    /// <summary>Adminer.</summary>
    public static KnownService Adminer { get; } = new("adminer", "adminer_container", "adminer:5.3.0", "adminer")
    {
        Ports = [new("Adminer", 8080, "http") { Scheme = "http" }],
    };

    /// <summary>
    /// Adds Adminer, which asks for the database's user and password. Off unless <c>Uvlhub:Services</c> has
    /// <c>+adminer</c>: no edition of uvlhub has it.
    /// </summary>
    /// <returns>The page's builder; <see langword="null"/> if it is off.</returns>
    public static IResourceBuilder<ContainerResource>? AddAdminer(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, IResourceBuilder<MariaDBServerResource> database) =>
        builder.AddService(uvlhub, Adminer)?
            .WithEnvironment("ADMINER_DEFAULT_SERVER", database.Resource.Name)
            .WithHttpHealthCheck("/", endpointName: "http")
            .WaitFor(database)
            .DiffersFromCompose(DriftAspect.Service, "a page for the database, because a setting asks for it (Uvlhub:Services)")
            .DiffersFromCompose(DriftAspect.Environment, "the page for the database knows where that is", "ADMINER_DEFAULT_SERVER")
            .WithIconName("TableSearch");
}
