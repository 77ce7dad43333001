using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Publishing;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.AppHost.Volumes;

namespace UvlhubAspire.AppHost.MariaDB;

/// <summary>What ties a MariaDB server to one checkout.</summary>
internal static class CheckoutDatabaseExtensions
{
    /// <summary>
    /// Passes every key of the checkout's <c>.env</c> to the server, as compose's <c>env_file</c> does: a fork may set
    /// any of the image's variables. What the model itself sets wins.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithCheckoutEnvironment(this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub) =>
        builder.WithEnvironment(context =>
        {
            // In environments with secrets the database gets its own, and nobody else's.
            foreach (var (key, value) in uvlhub.Checkout.Environment.Where(variable => !uvlhub.Profile.RequiresSecrets || IsServersOwn(variable.Key)))
            {
                context.EnvironmentVariables.TryAdd(key, value);
            }
        })
        .DiffersFromCompose(DriftAspect.Environment, "what the .env lacks has a default or is made up once and kept", "MARIADB_*")
        .DiffersFromCompose(DriftAspect.Image, "the Dockerfile only adds the client programs, which its base image has already", "build")
        .DiffersFromCompose(
            DriftAspect.Image, "MariaDB's version is pinned: 'latest' changes by itself, and data that a newer one has opened cannot go back", $"{MariaDBContainerImageTags.Image}:latest")
        .WithoutOthersSecrets(uvlhub)
        .PublishedAs(PublishedKind.Database, new PublishedProbe(["sh", "-c", ContainerHealthCheck.Script]));

    private static IResourceBuilder<MariaDBServerResource> WithoutOthersSecrets(this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub)
    {
        string[] others = [.. uvlhub.Checkout.EnvironmentFile.Values.Keys.Where(key => !IsServersOwn(key))];
        return uvlhub.Profile.RequiresSecrets && others.Length > 0
            ? builder.DiffersFromCompose(DriftAspect.Environment, "in production the database gets its own variables, and nobody else's secrets", others)
            : builder;
    }

    private static bool IsServersOwn(string key) =>
        key is "TZ" || key.StartsWith("MARIADB_", StringComparison.Ordinal) || key.StartsWith("MYSQL_", StringComparison.Ordinal);

    /// <summary>
    /// Gives the server its port on the host, or none in environments that keep it to themselves: what needs it then runs
    /// in a container beside it.
    /// </summary>
    /// <param name="builder">The server, with a container name.</param>
    /// <param name="uvlhub">The settings.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithHostPort(this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.Profile.OpensDatabaseToHost)
        {
            return builder.WithHostPort(uvlhub.Ports.Database);
        }

        builder.DiffersFromCompose(DriftAspect.Port, "in production only containers reach the database", $"{MariaDBServerResource.DefaultPort}");
        return builder.ApplicationBuilder.ExecutionContext.IsRunMode ? builder.WithoutHostPort(uvlhub.Names.DatabaseContainer) : builder;
    }

    /// <summary>
    /// In environments that run no database: takes the server, and with it its databases, out of the model. What needs them
    /// asks the server elsewhere. Comes before the databases are added.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="uvlhub">The settings.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithExternalServer(this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.ExternalServer is { } server)
        {
            builder.Resource.External = server;
            builder.ApplicationBuilder.Resources.Remove(builder.Resource);
        }

        return builder;
    }

    /// <summary>
    /// Keeps the data in a volume of the checkout's own, labelled with the checkout's path, so that no two checkouts ever
    /// open each other's database: not the sample's and a real one's, not those of two clones with the same folder name.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithCheckoutVolume(this IResourceBuilder<MariaDBServerResource> builder, UvlhubEnvironment uvlhub) => uvlhub.Profile.KeepsData
        ? builder.WithCheckoutVolume(
            uvlhub,
            uvlhub.Options.DataVolume ?? uvlhub.Names.DataVolume(uvlhub.Checkout.Name),
            MariaDBBuilderExtensions.DataFolder,
            isNamedByUser: uvlhub.Options.DataVolume is not null)
        : builder
            .WithContainerRuntimeArgs("--tmpfs", MariaDBBuilderExtensions.DataFolder)
            .DiffersFromCompose(DriftAspect.Volume, "the data of tests is in memory, and each start begins empty", MariaDBBuilderExtensions.DataFolder);
}
