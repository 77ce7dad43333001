using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using MySqlConnector;

namespace Aspire.Hosting;

/// <summary>Adds MariaDB servers and databases to an application model.</summary>
public static class MariaDBBuilderExtensions
{
    private const string InitFolder = "/docker-entrypoint-initdb.d";

    /// <summary>Adds a MariaDB server in a container.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name, its host name on the containers' network and its connection string's name.</param>
    /// <param name="rootPassword">The password of <c>root</c>. Default: one that is generated once and kept in the user secrets.</param>
    /// <param name="port">The port on the host's loopback address. Default: chosen by the system.</param>
    /// <returns>The server's builder.</returns>
    /// <remarks>
    /// <para>
    /// This version runs the tag <inheritdoc cref="MariaDBContainerImageTags.Tag"/> of the image
    /// <inheritdoc cref="MariaDBContainerImageTags.Image"/> from <inheritdoc cref="MariaDBContainerImageTags.Registry"/>;
    /// <see cref="ContainerResourceBuilderExtensions.WithImageTag{T}"/> and
    /// <see cref="ContainerResourceBuilderExtensions.WithImageRegistry{T}"/> choose others.
    /// </para>
    /// <para>
    /// The server is healthy when the user that applications have can log in to it over TCP; a resource that waits for it can
    /// work from then on. While the image fills a new volume nobody can.
    /// </para>
    /// </remarks>
    /// <example>
    /// A server with a user and a database, and a project that gets them:
    /// <code lang="csharp">
    /// var shop = builder.AddMariaDB("mariadb").WithUser("shop").WithDataVolume().AddDatabase("shop");
    ///
    /// builder.AddProject&lt;Projects.Web&gt;("web").WithReference(shop).WaitFor(shop);
    /// </code>
    /// </example>
    public static IResourceBuilder<MariaDBServerResource> AddMariaDB(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        IResourceBuilder<ParameterResource>? rootPassword = null,
        int? port = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);

        var server = new MariaDBServerResource(name, rootPassword?.Resource ?? GeneratedPassword(builder, $"{name}-root-password"));

        builder.Eventing.Subscribe<ResourceReadyEvent>(server, (ready, cancellationToken) =>
            CreateDatabasesAsync(server, ready.Services.GetRequiredService<ResourceLoggerService>().GetLogger(server), cancellationToken));

        return builder.AddResource(server)
            .WithImage(MariaDBContainerImageTags.Image, MariaDBContainerImageTags.Tag)
            .WithImageRegistry(MariaDBContainerImageTags.Registry)
            // It calls nobody by TLS, and copying the host's certificates takes time at every start.
            .WithCertificateTrustScope(CertificateTrustScope.None)
            // It gives root's rights up at its start, and nothing in it shall get them back.
            .WithContainerRuntimeArgs("--security-opt", "no-new-privileges")
            .WithEndpoint(port: port, targetPort: MariaDBServerResource.DefaultPort, name: MariaDBServerResource.PrimaryEndpointName)
            .WithIconName("DatabaseMultiple")
            .WithEnvironment(context =>
            {
                context.EnvironmentVariables["MARIADB_ROOT_PASSWORD"] = server.RootPasswordParameter;
                if (server.UserName is not null)
                {
                    context.EnvironmentVariables["MARIADB_USER"] = server.UserName;
                    context.EnvironmentVariables["MARIADB_PASSWORD"] = server.UserPasswordParameter!;
                }

                if (server.Databases is [{ CreationScript: null } first, ..])
                {
                    context.EnvironmentVariables["MARIADB_DATABASE"] = first.DatabaseName;
                }
            })
            // Without a database: an old volume may lack the one that the model has now, and gets it from a healthy server.
            .WithMariaDBHealthCheck(
                cancellationToken => server.ConnectionString(server.Application, database: null).GetValueAsync(cancellationToken));
    }

    /// <summary>Names the user that applications log in as, instead of <c>root</c>.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="userName">The user's name.</param>
    /// <param name="password">The user's password. Default: one that is generated once and kept in the user secrets.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// The image creates the user on a new volume. It has all rights on the databases that are added to this server, and on
    /// nothing else. The databases' connection strings and properties are the user's, the server's own stay those of
    /// <c>root</c>. A volume keeps the users and passwords that it was created with.
    /// </remarks>
    public static IResourceBuilder<MariaDBServerResource> WithUser(
        this IResourceBuilder<MariaDBServerResource> builder, string userName, IResourceBuilder<ParameterResource>? password = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(userName);
        builder.Resource.SetUser(
            userName, password?.Resource ?? GeneratedPassword(builder.ApplicationBuilder, $"{builder.Resource.Name}-password"));
        return builder;
    }

    /// <summary>Adds a database to a server.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="name">The resource's name; also its connection string's name.</param>
    /// <param name="databaseName">The name on the server. Default: the resource's name.</param>
    /// <returns>The database's builder.</returns>
    /// <remarks>
    /// Each time the server has become ready, a database that is not there is created, with the server's character set, and
    /// the application user gets all rights on it. Nothing is ever dropped. The first database is the one that the scripts of
    /// <see cref="WithInitFiles"/> work on.
    /// </remarks>
    public static IResourceBuilder<MariaDBDatabaseResource> AddDatabase(
        this IResourceBuilder<MariaDBServerResource> builder, [ResourceName] string name, string? databaseName = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);

        var database = new MariaDBDatabaseResource(name, databaseName ?? name, builder.Resource);
        var added = builder.ApplicationBuilder.AddResource(database)
            .WithIconName("Database")
            .OnInitializeResource((resource, initialize, cancellationToken) =>
            {
                _ = FailWithServerAsync(resource, initialize, cancellationToken);
                return Task.CompletedTask;
            })
            .WithMariaDBHealthCheck(database.ConnectionStringExpression.GetValueAsync);
        builder.Resource.Add(database);
        return added;
    }

    /// <summary>Creates a database by a script of its own, for example to choose its character set.</summary>
    /// <param name="builder">The database.</param>
    /// <param name="script">
    /// What <c>root</c> executes instead of <c>CREATE DATABASE IF NOT EXISTS</c>. It runs each time the server has become
    /// ready, so it has to do no harm where the database is there already.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <example>
    /// <code lang="csharp">
    /// mariadb.AddDatabase("shop").WithCreationScript("CREATE DATABASE IF NOT EXISTS shop COLLATE utf8mb4_spanish_ci");
    /// </code>
    /// </example>
    public static IResourceBuilder<MariaDBDatabaseResource> WithCreationScript(
        this IResourceBuilder<MariaDBDatabaseResource> builder, string script)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(script);
        builder.Resource.CreationScript = script;
        return builder;
    }

    /// <summary>Keeps the data in a named volume: it outlives containers and runs.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="name">The volume's name. Default: generated from the application's and the resource's name.</param>
    /// <param name="isReadOnly">Whether the server must not write. Default: it may.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithDataVolume(
        this IResourceBuilder<MariaDBServerResource> builder, string? name = null, bool isReadOnly = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.WithVolume(name ?? VolumeNameGenerator.Generate(builder, "data"), MariaDBServerResource.DataFolder, isReadOnly);
    }

    /// <summary>Keeps the data in a folder of the host.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="source">The folder; a relative path is taken from the AppHost's folder.</param>
    /// <param name="isReadOnly">Whether the server must not write. Default: it may.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithDataBindMount(
        this IResourceBuilder<MariaDBServerResource> builder, string source, bool isReadOnly = false)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(source);
        return builder.WithBindMount(source, MariaDBServerResource.DataFolder, isReadOnly);
    }

    /// <summary>
    /// Copies scripts (<c>.sql</c>, <c>.sql.gz</c>, <c>.sh</c>) into the container. The image runs them once, on a new volume, in
    /// the order of their names and in the first database of the server.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="source">A file or folder; a relative path is taken from the AppHost's folder.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithInitFiles(this IResourceBuilder<MariaDBServerResource> builder, string source)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(source);
        return builder.WithContainerFiles(InitFolder, Path.GetFullPath(source, builder.ApplicationBuilder.AppHostDirectory));
    }

    // Of letters and digits, so that scripts need not quote it.
    private static ParameterResource GeneratedPassword(IDistributedApplicationBuilder builder, string name) =>
        ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, name, special: false);

    private static IResourceBuilder<T> WithMariaDBHealthCheck<T>(
        this IResourceBuilder<T> builder, Func<CancellationToken, ValueTask<string?>> connectionString)
        where T : IResource
    {
        var key = $"{builder.Resource.Name}_check";
        builder.ApplicationBuilder.Services.AddHealthChecks()
            .Add(new HealthCheckRegistration(key, _ => new MariaDBHealthCheck(connectionString), failureStatus: null, tags: null));
        return builder.WithHealthCheck(key);
    }

    // Aspire tells a child all that happens to its parent, but not that it failed before there was a container: whoever
    // waits for the database would wait for ever.
    private static async Task FailWithServerAsync(
        MariaDBDatabaseResource database, InitializeResourceEvent initialize, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in initialize.Notifications.WatchAsync(cancellationToken))
            {
                if (change.Resource == database.Parent
                    && change.Snapshot.State is { } failed && failed.Text == KnownResourceStates.FailedToStart)
                {
                    await initialize.Notifications.PublishUpdateAsync(database, snapshot => snapshot with { State = failed });
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application ends.
        }
        catch (Exception exception)
        {
            MariaDBLog.ServerNotWatched(initialize.Logger, exception);
        }
    }

    private static async Task CreateDatabasesAsync(MariaDBServerResource server, ILogger logger, CancellationToken cancellationToken)
    {
        if (server.Databases.Count == 0 || !server.HasEndpoint)
        {
            return;
        }

        try
        {
            await using var connection = new MySqlConnection(await server.ConnectionStringExpression.GetValueAsync(cancellationToken));
            await connection.OpenAsync(cancellationToken);
            foreach (var database in server.Databases)
            {
                await CreateAsync(connection, database, logger, cancellationToken);
            }
        }
        catch (MySqlException exception)
        {
            MariaDBLog.NoAccess(logger, exception.Message);
        }
    }

    // One that cannot be created keeps no other from it.
    private static async Task CreateAsync(
        MySqlConnection root, MariaDBDatabaseResource database, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var statement in CreationStatements(database))
            {
                await using var command = new MySqlCommand(statement, root);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }

            MariaDBLog.DatabaseCreated(logger, database.DatabaseName);
        }
        catch (MySqlException exception)
        {
            MariaDBLog.DatabaseNotCreated(logger, database.DatabaseName, exception.Message);
        }
    }

    private static IEnumerable<string> CreationStatements(MariaDBDatabaseResource database)
    {
        using var quoting = new MySqlCommandBuilder();
        yield return database.CreationScript ?? $"CREATE DATABASE IF NOT EXISTS {quoting.QuoteIdentifier(database.DatabaseName)}";
        if (database.Parent.UserName is { } user)
        {
            // In a grant _ and % are wildcards: the rights on shop_test would be rights on shopXtest, too.
            var pattern = database.DatabaseName.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("_", "\\_", StringComparison.Ordinal)
                .Replace("%", "\\%", StringComparison.Ordinal);
            yield return $"GRANT ALL PRIVILEGES ON {quoting.QuoteIdentifier(pattern)}.* TO '{MySqlHelper.EscapeString(user)}'@'%'";
        }
    }
}
