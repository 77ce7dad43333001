using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Configuration;
using MySqlConnector;
using UvlhubAspire.AppHost.Database;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Joins UvlhubRunner to the model: what uvlhub's entrypoint scripts did before they started Flask.</summary>
internal static class MigratorBuilderExtensions
{
    private const string OwnProgram = "the schema is brought up to date by a program of its own, before the site starts";

    /// <summary>
    /// Adds the migrator, a program that ends: it waits for MariaDB itself (with a limit and a reason, so no health check
    /// needs to come first), brings the schema to the checkout's head, seeds an empty database, and exits with 0, or
    /// with another code and one readable cause.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database.</param>
    /// <param name="toolbox">The container in which <c>flask</c> runs.</param>
    /// <returns>The migrator's builder.</returns>
    public static IResourceBuilder<IResource> AddMigrator(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database,
        IResourceBuilder<FlaskResource> toolbox) => uvlhub.Images is null
            ? builder.AddProgram(name, uvlhub, database, toolbox)
            : builder.AddContainer(name, uvlhub, database);

    // Where the code is mounted: a program on the host, which has flask run in the toolbox.
    private static IResourceBuilder<MigratorResource> AddProgram(
        this IDistributedApplicationBuilder builder,
        string name,
        UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database,
        IResourceBuilder<FlaskResource> toolbox)
    {
        var server = builder.CreateResourceBuilder(database.Resource.Parent);
        builder.Services.TryAddEventingSubscriber<EarlyMigratorStart>();
        var migrator = builder.AddResource(new MigratorResource(name));
        if (uvlhub.Options.Dashboard)
        {
            migrator.WithOtlpExporter();
        }

        migrator
            .WithArgs([.. RunnerExecutable.Arguments, "migrate"])
            .WithArgs(context =>
            {
                if (server.Resource.TryGetLastAnnotation<BeginsEmpty>(out var empty) && empty.IsExpected())
                {
                    context.Args.Add("--expect-empty");
                }
            })
            // The runner has the same settings as the AppHost, wherever they came from.
            .WithEnvironment(
                context => AddSettings(
                    context.EnvironmentVariables, builder.Configuration.GetSection(UvlhubOptions.Section).AsEnumerable()))
            .WithEnvironment("Uvlhub__Path", uvlhub.Checkout.Path)
            .WithEnvironment("Uvlhub__EnvironmentFile", uvlhub.Checkout.EnvironmentFile.Path)
            .WithEnvironment("Uvlhub__Containers__Database", uvlhub.Names.DatabaseContainer)
            .WithEnvironment("Uvlhub__Containers__Toolbox", uvlhub.Names.ToolboxContainer)
            .WithEnvironment("ASPIRE_CONTAINER_RUNTIME", () => uvlhub.Engine.Executable)
            .WithReference(server)
            .WithReference(database)
            .WithEnvironment(context => KeepPasswordsApart(context.EnvironmentVariables, database.Resource))
            // Without them it fails, as it does when they do not answer, and who waits for it need not wait for ever.
            .WaitForStart(server, WaitBehavior.StopOnResourceUnavailable)
            .WaitForStart(toolbox, WaitBehavior.StopOnResourceUnavailable)
            .DiffersFromCompose(DriftAspect.Service, OwnProgram)
            .WithMigratorCommands()
            .WithFailureOnConsole()
            .WithIconName("DatabaseArrowUp");
        return toolbox.Resource.HasAnnotationOfType<HealthCheckAnnotation>()
            ? migrator.WaitFor(toolbox, WaitBehavior.StopOnResourceUnavailable)
            : migrator;
    }

    // Where the code is in the image: a container that has the runner as well, and needs no engine and no port of the host.
    private static IResourceBuilder<FlaskResource> AddContainer(
        this IDistributedApplicationBuilder builder, string name, UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database)
    {
        var migrator = builder.AddCheckoutContainer(new FlaskResource(name) { Role = FlaskRole.Migrator }, uvlhub, database)
            .WithContainerName(uvlhub.Names.MigratorContainer)
            .WithArgs("UvlhubRunner", "migrate")
            .PublishedAs(PublishedKind.Job)
            // Not its whole section: paths and names of this machine mean nothing inside.
            .WithEnvironment(
                context => AddSettings(
                    context.EnvironmentVariables,
                    builder.Configuration.GetSection($"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Migrator)}").AsEnumerable()))
            .DiffersFromCompose(DriftAspect.Service, OwnProgram)
            .WithFailureOnConsole()
            .WithIconName("DatabaseArrowUp");
        return uvlhub.ExternalServer is null
            ? migrator.WaitForStart(builder.CreateResourceBuilder(database.Resource.Parent), WaitBehavior.StopOnResourceUnavailable)
            : migrator;
    }

    // Aspire hides a variable that is a secret, but not one that has a secret in it.
    private static void KeepPasswordsApart(Dictionary<string, object> environment, MariaDBDatabaseResource database)
    {
        var server = database.Parent;
        environment[$"ConnectionStrings__{server.Name}"] = WithoutPassword(server, new() { UserID = "root" });
        environment[$"ConnectionStrings__{database.Name}"] =
            WithoutPassword(server, new() { UserID = server.UserName ?? "root", Database = database.DatabaseName });
        foreach (var resource in (IResource[])[server, database])
        {
            environment.Remove($"{resource.Name.ToUpperInvariant()}_URI");
        }

        if (environment.GetValueOrDefault(SecretVariables.TelemetryHeaders) is string key)
        {
            environment[SecretVariables.TelemetryHeaders] = new ParameterResource("telemetry-headers", _ => key, secret: true);
        }
    }

    private static ReferenceExpression WithoutPassword(MariaDBServerResource server, MySqlConnectionStringBuilder login) =>
        ReferenceExpression.Create($"Server={server.Host};Port={server.Port};{login.ConnectionString}");

    private static void AddSettings(Dictionary<string, object> environment, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        foreach (var (key, value) in settings)
        {
            if (value is not null)
            {
                environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
            }
        }
    }
}
