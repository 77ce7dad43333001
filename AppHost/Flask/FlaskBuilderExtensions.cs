using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.AppHost.MariaDB;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Restart;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Flask;

/// <summary>Adds the containers that run the checkout's code.</summary>
internal static class FlaskBuilderExtensions
{
    private const int Port = 5000;
    private const string StartupFolder = "/opt/uvlhub-aspire/startup";

    /// <summary>
    /// Adds the site: <c>flask run</c> with reload and debugger on the bind-mounted checkout, as uvlhub's development
    /// entrypoint ends. It is healthy when its first page answers 200.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database.</param>
    /// <returns>The site's builder.</returns>
    public static IResourceBuilder<FlaskResource> AddFlask(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub, IResourceBuilder<MariaDBDatabaseResource> database) =>
        builder.AddCheckoutContainer(new FlaskResource(name) { IsSite = true }, uvlhub, database)
            .WithContainerName(uvlhub.Names.WebContainer)
            .WithArgs("flask", "run", "--host=0.0.0.0", $"--port={Port}", "--reload", "--debug")
            .WithHttpEndpoint(targetPort: Port, name: FlaskResource.HttpEndpointName)
            .WithHostPort(uvlhub.Ports.Web)
            .WithSiteHealthCheck()
            .WithIconName("Globe");

    /// <summary>
    /// Adds the toolbox, named after uvlhub's command line: the site's image, mounts and environment, but idle. The
    /// migrator, the dashboard's commands and people run <c>flask</c>, <c>rosemary</c> and <c>pytest</c> in it, so that
    /// the host needs no Python, and a migration runs before there is a site.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database.</param>
    /// <returns>The toolbox's builder.</returns>
    public static IResourceBuilder<FlaskResource> AddToolbox(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub, IResourceBuilder<MariaDBDatabaseResource> database) =>
        builder.AddCheckoutContainer(new FlaskResource(name), uvlhub, database)
            .WithContainerName(uvlhub.Names.ToolboxContainer)
            .WithArgs("sleep", "infinity")
            .WithIconName("Toolbox");

    private static IResourceBuilder<FlaskResource> WithSiteHealthCheck(this IResourceBuilder<FlaskResource> builder)
    {
        var key = $"{builder.Resource.Name}_check";
        builder.ApplicationBuilder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, _ => new SiteHealthCheck(() => new Uri(builder.Resource.HttpEndpoint.Url)), failureStatus: null, tags: null));
        return builder.WithHealthCheck(key);
    }

    internal static IResourceBuilder<FlaskResource> AddCheckoutContainer(
        this IDistributedApplicationBuilder builder, FlaskResource flask, UvlhubEnvironment uvlhub, IResourceBuilder<MariaDBDatabaseResource> database)
    {
        var checkout = uvlhub.Checkout;
        var container = builder.AddResource(flask)
            .WithImage(CheckoutImage.Name(checkout), "dev")
            .WithAnnotation(CheckoutImage.Development(checkout))
            .WithBindMount(checkout.Path, checkout.WorkingDirectory)
            .WithBindMount(Path.Combine(builder.AppHostDirectory, "Flask", "startup"), StartupFolder, isReadOnly: true)
            // An init process, because as process 1 neither a shell nor Python ends when the engine asks it to.
            .WithContainerRuntimeArgs("--init", "--workdir", checkout.WorkingDirectory)
            .WithAutomaticRestart()
            .WithEnvironment(context => SetEnvironment(context.EnvironmentVariables, uvlhub, database.Resource.Parent))
            .WithTelemetry(uvlhub);

        builder.Eventing.Subscribe<ResourceReadyEvent>(flask, (ready, cancellationToken) =>
            flask.IsSite ? MissingRequirements.WarnAsync(flask, checkout, ready.Services, cancellationToken) : Task.CompletedTask);

        return container;
    }

    private static void SetEnvironment(Dictionary<string, object> environment, UvlhubEnvironment uvlhub, MariaDBServerResource server)
    {
        var checkout = uvlhub.Checkout;
        foreach (var (key, value) in checkout.Environment)
        {
            environment[key] = value;
        }

        SetDatabaseEnvironment(environment, uvlhub, server);
        environment["WORKING_DIR"] = checkout.WorkingDirectory.TrimEnd('/') + "/";

        // Python's caches stay out of the checkout, where they would belong to the container's user.
        environment["PYTHONPYCACHEPREFIX"] = "/tmp/pycache";
        environment["PYTHONUNBUFFERED"] = "1";
        var dockerfilePath = checkout.DevelopmentDockerfile!.Environment.GetValueOrDefault("PYTHONPATH");
        environment["PYTHONPATH"] = string.Join(':', new[] { StartupFolder, checkout.Environment.GetValueOrDefault("PYTHONPATH") ?? dockerfilePath }.OfType<string>());
        environment["UVLHUB_IGNORED_MODULES"] = uvlhub.Options.IgnoredModules;
    }

    /// <summary>
    /// Says where the database is and who may log in. One <c>.env</c> serves Docker, Vagrant and a bare machine, so what
    /// depends on where the code runs is computed and not read from it.
    /// </summary>
    internal static void SetDatabaseEnvironment(Dictionary<string, object> environment, UvlhubEnvironment uvlhub, MariaDBServerResource server)
    {
        environment["MARIADB_HOSTNAME"] = server.Name;
        environment["MARIADB_PORT"] = MariaDBServerResource.DefaultPort.ToString(System.Globalization.CultureInfo.InvariantCulture);
        environment["MARIADB_DATABASE"] = uvlhub.Checkout.Database;
        environment["MARIADB_TEST_DATABASE"] = uvlhub.Checkout.TestDatabase;
        environment["MARIADB_USER"] = uvlhub.Checkout.DatabaseUser;
        environment["MARIADB_PASSWORD"] = uvlhub.UserPassword.Resource;
        environment["MARIADB_ROOT_PASSWORD"] = uvlhub.RootPassword.Resource;
    }
}
