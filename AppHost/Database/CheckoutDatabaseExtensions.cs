using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.AppHost.Database;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>What ties a MariaDB server to one checkout.</summary>
internal static class CheckoutDatabaseExtensions
{
    /// <summary>
    /// Passes every key of the checkout's <c>.env</c> to the server, as compose's <c>env_file</c> does: a fork may set
    /// any of the image's variables. What the model itself sets wins.
    /// </summary>
    public static IResourceBuilder<MariaDBServerResource> WithCheckoutEnvironment(
        this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub) =>
        builder.WithStandIn(RepositoryFolder.StandIn("mariadb")).WithEnvironment(context =>
        {
            // In environments with secrets the database gets its own, and nobody else's.
            foreach (var (key, value) in uvlhub.Checkout.Environment.Where(
                variable => !uvlhub.Profile.RequiresSecrets || IsServersOwn(variable.Key)))
            {
                context.EnvironmentVariables.TryAdd(key, value);
            }
        })
        .DiffersFromCompose(DriftAspect.Environment, "what the .env lacks has a default or is made up once and kept", "MARIADB_*")
        .DiffersFromCompose(DriftAspect.Image, "the Dockerfile only adds the client programs, which its base image has already", "build")
        .DiffersFromCompose(
            DriftAspect.Image,
            "MariaDB's version is pinned: 'latest' changes by itself, and data that a newer one has opened cannot go back",
            "mariadb:latest")
        .WithoutOthersSecrets(uvlhub)
        .PublishedAs(PublishedKind.Database, new PublishedProbe(["sh", "-c", ContainerHealthCheck.Script]));

    /// <summary>Adds <c>shell</c> to a database server: MariaDB's own client as <c>root</c>, whose password the container knows.</summary>
    public static IResourceBuilder<MariaDBServerResource> WithClientCommand(this IResourceBuilder<MariaDBServerResource> builder) =>
        builder.WithShellCommand("Open MariaDB client", "sh", "-c", "MYSQL_PWD=$MARIADB_ROOT_PASSWORD exec mariadb -u root");

    private static IResourceBuilder<MariaDBServerResource> WithoutOthersSecrets(
        this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub)
    {
        string[] others = [.. uvlhub.Checkout.EnvironmentFile.Values.Keys.Where(key => !IsServersOwn(key))];
        return uvlhub.Profile.RequiresSecrets && others.Length > 0
            ? builder.DiffersFromCompose(
                DriftAspect.Environment, "in production the database gets its own variables, and nobody else's secrets", others)
            : builder;
    }

    private static bool IsServersOwn(string key) =>
        key is "TZ" || key.StartsWith("MARIADB_", StringComparison.Ordinal) || key.StartsWith("MYSQL_", StringComparison.Ordinal);

    /// <summary>
    /// Gives the server its port on the host, or none in environments that keep it to themselves: what needs it then runs
    /// in a container beside it.
    /// </summary>
    public static IResourceBuilder<MariaDBServerResource> WithHostPort(
        this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.Profile.OpensDatabaseToHost)
        {
            return builder.WithHostPort(uvlhub.Ports.Database);
        }

        builder.DiffersFromCompose(
            DriftAspect.Port, "in production only containers reach the database", $"{MariaDBServerResource.DefaultPort}");
        return builder.ApplicationBuilder.ExecutionContext.IsRunMode
            ? builder.WithoutEndpoint().WithHealthCheckInside(uvlhub.Names.DatabaseContainer)
            : builder;
    }

    private static IResourceBuilder<MariaDBServerResource> WithoutEndpoint(this IResourceBuilder<MariaDBServerResource> builder)
    {
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().ToList())
        {
            builder.Resource.Annotations.Remove(endpoint);
        }

        return builder;
    }

    // The server's and its databases' health is asked inside the container: from here nobody reaches it.
    private static IResourceBuilder<MariaDBServerResource> WithHealthCheckInside(
        this IResourceBuilder<MariaDBServerResource> builder, string container)
    {
        var key = $"{builder.Resource.Name}_inside_check";
        builder.ApplicationBuilder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, services => new ContainerHealthCheck(
                services.GetRequiredService<ContainerEngine>(), container), failureStatus: null, tags: null));
        builder.ApplicationBuilder.Eventing.Subscribe<BeforeStartEvent>((_, _) =>
        {
            foreach (var resource in (IResource[])[builder.Resource, .. builder.Resource.Databases])
            {
                foreach (var check in resource.Annotations.OfType<HealthCheckAnnotation>().ToList())
                {
                    resource.Annotations.Remove(check);
                }
            }

            // Its databases have it from their parent; twice under one key it would never be asked.
            builder.Resource.Annotations.Add(new HealthCheckAnnotation(key));
            return Task.CompletedTask;
        });
        return builder;
    }

    /// <summary>
    /// In environments that run no database: takes the server and its databases out of the model. What needs them asks the
    /// server elsewhere, <see cref="UvlhubEnvironment.ExternalServer"/>. Comes after the databases have been added.
    /// </summary>
    public static void RunElsewhere(this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.ExternalServer is not null)
        {
            foreach (var resource in (IResource[])[builder.Resource, .. builder.Resource.Databases])
            {
                builder.ApplicationBuilder.Resources.Remove(resource);
            }
        }
    }

    /// <summary>Adds the database that tests empty, as uvlhub's init-testing-db.sh creates it.</summary>
    public static void AddTestDatabase(
        this IResourceBuilder<MariaDBServerResource> builder, [ResourceName] string name, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.Profile.HasTestDatabase)
        {
            builder.AddDatabase(name, uvlhub.Checkout.TestDatabase)
                .WithCreationScript(MariaDBStatements.CreateDatabase(uvlhub.Checkout.TestDatabase, user: null).Single());
        }
    }
}
