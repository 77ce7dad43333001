using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using MySqlConnector;

namespace Aspire.Hosting;

/// <summary>Adds MariaDB to an application model, in the shape of Aspire's own database integrations.</summary>
public static class MariaDBBuilderExtensions
{
    private const string InitFolder = "/docker-entrypoint-initdb.d";

    /// <summary>Adds a MariaDB server in a container. Its health check logs in as the user that applications use.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name, its host name on the containers' network and its connection string's name.</param>
    /// <param name="rootPassword">The password of <c>root</c>. Default: one that is generated once and kept in the user secrets.</param>
    /// <param name="port">The port on the host's loopback address. Default: chosen by the system.</param>
    /// <returns>The server's builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> AddMariaDB(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        IResourceBuilder<ParameterResource>? rootPassword = null,
        int? port = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);

        var password = rootPassword?.Resource
            ?? ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-root-password", special: false);
        var server = new MariaDBServerResource(name, password);

        builder.Eventing.Subscribe<ResourceReadyEvent>(server, (ready, cancellationToken) =>
            CreateDatabasesAsync(server, ready.Services.GetRequiredService<ResourceLoggerService>().GetLogger(server), cancellationToken));

        return builder.AddResource(server)
            .WithImage(MariaDBContainerImageTags.Image, MariaDBContainerImageTags.Tag)
            // It calls nobody by TLS, and copying the host's certificates takes time at every start.
            .WithCertificateTrustScope(CertificateTrustScope.None)
            // It gives root's rights up at its start, and nothing in it shall get them back.
            .WithContainerRuntimeArgs("--security-opt", "no-new-privileges")
            .WithEndpoint(port: port, targetPort: MariaDBServerResource.DefaultPort, name: MariaDBServerResource.PrimaryEndpointName)
            .WithIconName("DatabaseMultiple")
            .WithEnvironment(context =>
            {
                context.EnvironmentVariables["MARIADB_ROOT_PASSWORD"] = server.RootPassword;
                if (server.UserName is not null)
                {
                    context.EnvironmentVariables["MARIADB_USER"] = server.UserName;
                    context.EnvironmentVariables["MARIADB_PASSWORD"] = server.UserPassword!;
                }

                if (server.Databases is [var first, ..])
                {
                    context.EnvironmentVariables["MARIADB_DATABASE"] = first.DatabaseName;
                }
            })
            .WithMariaDBHealthCheck(
                cancellationToken => (
                    server.Databases is [var first, ..] ? first.ConnectionStringExpression : server.ConnectionStringExpression)
                .GetValueAsync(cancellationToken));
    }

    /// <summary>Sets the password of <c>root</c>.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="password">The password.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithRootPassword(
        this IResourceBuilder<MariaDBServerResource> builder, IResourceBuilder<ParameterResource> password)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(password);
        builder.Resource.RootPassword = password.Resource;
        return builder;
    }

    /// <summary>
    /// Names the user that applications log in as: <c>MARIADB_USER</c> and <c>MARIADB_PASSWORD</c> of the tutorial. The
    /// image creates it on a new volume; it is granted everything on the databases of this server, and on nothing else.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="userName">The user's name.</param>
    /// <param name="password">The user's password.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithUser(
        this IResourceBuilder<MariaDBServerResource> builder, string userName, IResourceBuilder<ParameterResource> password)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(userName);
        ArgumentNullException.ThrowIfNull(password);
        (builder.Resource.UserName, builder.Resource.UserPassword) = (userName, password.Resource);
        return builder;
    }

    /// <summary>
    /// Adds a database. The image creates the first one on a new volume; each is created, and granted to the application
    /// user, when the server is ready and it is not there yet. Nothing is ever dropped. Where the server has been taken out
    /// of the model, the database is not part of it either.
    /// </summary>
    /// <param name="builder">The server.</param>
    /// <param name="name">The resource's name; also its connection string's name.</param>
    /// <param name="databaseName">The name on the server. Default: the resource's name.</param>
    /// <returns>The database's builder.</returns>
    public static IResourceBuilder<MariaDBDatabaseResource> AddDatabase(
        this IResourceBuilder<MariaDBServerResource> builder, [ResourceName] string name, string? databaseName = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);

        var database = new MariaDBDatabaseResource(name, databaseName ?? name, builder.Resource);
        builder.Resource.Add(database);
        if (!builder.ApplicationBuilder.Resources.Contains(builder.Resource))
        {
            return builder.ApplicationBuilder.CreateResourceBuilder(database);
        }

        return builder.ApplicationBuilder.AddResource(database)
            .WithIconName("Database")
            .OnInitializeResource((resource, initialize, cancellationToken) =>
            {
                _ = FailWithServerAsync(resource, initialize, cancellationToken);
                return Task.CompletedTask;
            })
            .WithMariaDBHealthCheck(database.ConnectionStringExpression.GetValueAsync);
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

    /// <summary>Copies scripts (<c>.sql</c>, <c>.sql.gz</c>, <c>.sh</c>) into the container that the image runs once, on a
    /// new volume.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="source">A file or folder; a relative path is taken from the AppHost's folder.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithInitFiles(this IResourceBuilder<MariaDBServerResource> builder, string source)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(source);
        return builder.WithContainerFiles(InitFolder, Path.GetFullPath(source, builder.ApplicationBuilder.AppHostDirectory));
    }

    /// <summary>Says where containers find the server, if that is not under its own name and port: it runs elsewhere, or
    /// behind something.</summary>
    /// <param name="builder">The server.</param>
    /// <param name="host">Its name or address.</param>
    /// <param name="port">Its port. Default: 3306.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithNetworkAddress(
        this IResourceBuilder<MariaDBServerResource> builder, string host, int port = MariaDBServerResource.DefaultPort)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(host);
        (builder.Resource.NetworkHost, builder.Resource.NetworkPort) = (host, port);
        return builder.WithoutHostPort();
    }

    /// <summary>Takes the server's port off the host: only containers of its network reach it, and its health check finds nobody.</summary>
    /// <param name="builder">The server.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<MariaDBServerResource> WithoutHostPort(this IResourceBuilder<MariaDBServerResource> builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        foreach (var endpoint in builder.Resource.Annotations.OfType<EndpointAnnotation>().ToList())
        {
            builder.Resource.Annotations.Remove(endpoint);
        }

        return builder;
    }

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
        // The image has created the first database together with the user and its rights.
        var others = server.Databases.Skip(1).ToList();
        if (others.Count == 0)
        {
            return;
        }

        try
        {
            await using var connection = new MySqlConnection(await server.ConnectionStringExpression.GetValueAsync(cancellationToken));
            await connection.OpenAsync(cancellationToken);
            foreach (var database in others)
            {
                foreach (var statement in CreationStatements(database.DatabaseName, server.UserName))
                {
                    await using var command = new MySqlCommand(statement, connection);
                    await command.ExecuteNonQueryAsync(cancellationToken);
                }

                MariaDBLog.DatabaseCreated(logger, database.DatabaseName);
            }
        }
        catch (MySqlException exception)
        {
            MariaDBLog.DatabasesNotCreated(logger, exception.Message);
        }
    }

    private static IEnumerable<string> CreationStatements(string database, string? user)
    {
        using var quoting = new MySqlCommandBuilder();
        yield return $"CREATE DATABASE IF NOT EXISTS {quoting.QuoteIdentifier(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
        if (user is not null)
        {
            // In a grant _ and % are wildcards: uvlhubdb_test would also match uvlhubdbXtest.
            var pattern = database.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)
                .Replace("%", "\\%", StringComparison.Ordinal);
            yield return $"GRANT ALL PRIVILEGES ON {quoting.QuoteIdentifier(pattern)}.* TO '{MySqlHelper.EscapeString(user)}'@'%'";
        }
    }
}
