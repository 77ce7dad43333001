using System.Globalization;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Adds the containers that run the checkout's code.</summary>
internal static class FlaskBuilderExtensions
{
    private const int LastPortOfRoot = 1023;
    internal const int MostWorkers = 9;
    private static readonly TimeSpan s_stepsPatience = TimeSpan.FromMinutes(3);
    private const string OwnKey = "sessions are signed with a key that is made up once and kept, where the checkout gives none";
    private const string SiteService = "web";
    private const string SnapshotsFolder = "/var/lib/uvlhub-aspire/snapshots";

    /// <summary>The start-up folder's program that starts what runs the checkout's code, without its options.</summary>
    internal static IReadOnlyList<string> StartupScript { get; } = ["python", $"{SiteDockerfile.StartupFolder}/uvlhub_start.py"];

    /// <summary>
    /// Adds the site, as uvlhub's entrypoints end: <c>flask run</c> on the mounted checkout, or gunicorn on the code in
    /// the production image; what the checkout's start script does beside that and the migrator comes first, as it stands there. It is
    /// healthy when its first page answers 200.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database. Default: none, as in the tutorial's first step: pages that need it fail.</param>
    /// <returns>The site's builder.</returns>
    public static IResourceBuilder<FlaskResource> AddFlask(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource>? database = null)
    {
        builder.Services.TryAddEventingSubscriber<EarlySiteStart>();
        builder.Services.Configure<LoggerFilterOptions>(log => log.AddFilter("Aspire.Hosting.Dcp.DcpExecutor", EarlySiteStart.Shows));
        return builder.AddServer(name, FlaskRole.Site, uvlhub, database)
            .WithContainerName(uvlhub.Names.WebContainer)
            .WithHttpEndpoint(targetPort: uvlhub.Profile.SitePort, name: FlaskResource.HttpEndpointName)
            .WithSitePort(uvlhub)
            .WithErrorsOnConsole(uvlhub)
            .WithSiteHealthCheck()
            .WithDebugger(uvlhub)
            .PublishedAs(
                PublishedKind.Replicated,
                new PublishedProbe(
                    [.. StartupScript, "--probe", uvlhub.Profile.SitePort.ToString(CultureInfo.InvariantCulture)]))
            .DiffersFromCompose(
                DriftAspect.Command, "the migrator does what the start script does to the database; the rest of it runs here")
            .DiffersFromCompose(
                DriftAspect.DependsOn, "the site waits for its schema only; what else it uses starts beside it", [
                    .. ServiceSelection.Optional,
                ])
            .DiffersFromCompose(DriftAspect.Port, "the site can be reached without nginx too", $"{uvlhub.Profile.SitePort}")
            .WithIconName("Globe");
    }

    /// <summary>
    /// Adds the toolbox, named after uvlhub's command line: the site's image, mounts and environment, but idle. The
    /// migrator, the dashboard's commands and people run <c>flask</c>, <c>rosemary</c> and <c>pytest</c> in it, so that
    /// the host needs no Python, and a migration runs before there is a site.
    /// </summary>
    public static IResourceBuilder<FlaskResource> AddToolbox(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database)
    {
        var packages = ReadScript(uvlhub, server: [])?.Packages ?? [];
        var toolbox = builder.AddCheckoutContainer(new FlaskResource(name), uvlhub, database)
            .WithContainerName(uvlhub.Names.ToolboxContainer)
            .WithArgs(packages.Count > 0 ? [.. packages] : ["sleep", "infinity"])
            .DiffersFromCompose(
                DriftAspect.Service, "flask, rosemary and pytest run in a container of their own, so that a migration needs no site")
            .WithIconName("Toolbox");
        if (packages.Count > 0)
        {
            toolbox.WithHealthCheck(_ => new PackagesHealthCheck(uvlhub.Engine, uvlhub.Names.ToolboxContainer));
        }

        return uvlhub.Profile.HasServices ? toolbox : toolbox.WithExplicitStart();
    }

    /// <summary>Says in the model, for the dashboard and the drawing, that a resource is there for the site.</summary>
    internal static IResourceBuilder<T> WithSiteRelationship<T>(this IResourceBuilder<T> builder)
        where T : IResource
    {
        foreach (var site in builder.ApplicationBuilder.Resources.OfType<FlaskResource>().Where(flask => flask.IsSite))
        {
            builder.WithReferenceRelationship(site);
        }

        return builder;
    }

    private static IResourceBuilder<FlaskResource> WithSiteHealthCheck(this IResourceBuilder<FlaskResource> builder) =>
        builder.WithHealthCheck(services => new SiteHealthCheck(
            () => new Uri(builder.Resource.HttpEndpoint.Url),
            () => EarlySiteStart.HasMigrated(builder.Resource, services.GetRequiredService<ResourceNotificationService>()),
            builder.Resource.IsSite ? services.GetService<SiteErrors>() : null));

    private static IResourceBuilder<FlaskResource> WithErrorsOnConsole(
        this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub)
    {
        builder.ApplicationBuilder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<SiteErrors>(
            services, builder.Resource, uvlhub.Options.Patience));
        return builder;
    }

    /// <summary>Adds a container with the checkout's code and environment; what it runs is up to the caller.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="flask">The resource.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database; <see langword="null"/> for none.</param>
    /// <returns>The container's builder.</returns>
    internal static IResourceBuilder<FlaskResource> AddCheckoutContainer(
        this IDistributedApplicationBuilder builder, FlaskResource flask, UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource>? database)
    {
        var checkout = uvlhub.Checkout;
        var container = builder.AddResource(flask)
            .WithCheckoutCode(uvlhub)
            .WithContainerRuntimeArgs(CheckoutContainer.Options(checkout.WorkingDirectory))
            .WithContainerRuntimeArgs(
                uvlhub.Profile.SitePort > LastPortOfRoot || !flask.IsApplication ? [] : ["--cap-add", "NET_BIND_SERVICE"])
            // Nothing in it answers by TLS to a certificate of the host, and copying those takes time at every start.
            .WithCertificateTrustScope(CertificateTrustScope.None)
            .WithEnvironment(
                context => SetEnvironment(context.EnvironmentVariables, uvlhub, database?.Resource.Parent, flask.IsApplication))
            .DiffersFromCompose(
                DriftAspect.Environment, "what depends on where the code runs is computed and not read from the .env", "MARIADB_*",
                "WORKING_DIR")
            .DiffersFromCompose(
                DriftAspect.Environment, "Python starts with a module beside the checkout, and leaves no caches in it", "PYTHONPATH",
                "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED")
            .DiffersFromCompose(
                DriftAspect.Volume, "Python starts with a module beside the checkout, and leaves no caches in it",
                SiteDockerfile.StartupFolder)
            .DiffersFromCompose(
                DriftAspect.Environment, "modules are ignored without a file in the checkout (Uvlhub:IgnoredModules)",
                "UVLHUB_IGNORED_MODULES")
            .WithNameOfHost(uvlhub)
            .WithTelemetry(uvlhub)
            .WithShellCommand()
            .WithRebuildCommand();

        if (database is not null && uvlhub.ExternalServer is null)
        {
            container.WithReferenceRelationship(database);
        }

        if (flask.Role != FlaskRole.Migrator)
        {
            container.WithAutomaticRestart();
        }

        return container;
    }

    private static IResourceBuilder<FlaskResource> AddServer(
        this IDistributedApplicationBuilder builder, string name, FlaskRole role, UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource>? database)
    {
        var server = ServerCommand(uvlhub, builder.ExecutionContext.IsPublishMode);
        // Without a database, as in the tutorial's first step, nothing of it can run.
        var script = database is null ? null : ReadScript(uvlhub, server);
        var command = script?.Command ?? server;
        var container = builder.AddCheckoutContainer(new FlaskResource(name) { Role = role, Script = script }, uvlhub, database);
        if (command != server)
        {
            container.WaitForServicesOfSteps(uvlhub);
        }

        return script is not null && uvlhub.Checkout.SiteDockerfile.Entrypoint.Count > 0
            ? container.WithEntrypoint(command[0]).WithArgs([.. command.Skip(1)])
            : container.WithArgs([.. command]);
    }

    private static StartScript? ReadScript(UvlhubEnvironment uvlhub, IReadOnlyList<string> server)
    {
        var declared = uvlhub.Compose?.Service(SiteService);
        var dockerfile = uvlhub.Checkout.SiteDockerfile;
        return StartScript.Read(
            uvlhub.Checkout,
            [
                .. declared?.Entrypoint ?? dockerfile.Entrypoint,
                .. declared?.Command ?? (declared?.Entrypoint is null ? dockerfile.Command : []),
            ],
            declared is { Command: not null } or { Entrypoint: not null } ? declared.At.File : dockerfile.Path,
            declared?.LineOf(declared.Command is null ? "entrypoint" : "command").Line ?? 1,
            (declared?.Mounts ?? []).Where(mount => File.Exists(mount.Source)).ToDictionary(mount => mount.Target, mount => mount.Source!),
            server);
    }

    // An index is filled by a step, and here nothing has kept the script waiting until its server is up. What fails or takes long keeps
    // nobody: under compose it would not either.
    private static void WaitForServicesOfSteps(this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub) =>
        builder.OnBeforeResourceStarted(async (site, start, cancellationToken) =>
        {
            var notifications = start.Services.GetRequiredService<ResourceNotificationService>();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_stepsPatience);
            var declared = uvlhub.Compose?.Service(SiteService)?.DependsOn.Select(dependency => dependency.Service).ToList() ?? [];
            await Task.WhenAll(start.Services.GetRequiredService<DistributedApplicationModel>().Resources
                .Where(resource => declared.Contains(resource.Name) && !resource.HasAnnotationOfType<ExplicitStartupAnnotation>())
                .Select(Task (resource) => notifications.WaitForResourceHealthyAsync(
                    resource.Name, WaitBehavior.StopOnResourceUnavailable, limit.Token)))
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        });

    private static string[] ServerCommand(UvlhubEnvironment uvlhub, bool isPublished) => uvlhub.Profile.Server switch
    {
        WebServer.FlaskWithReload => ["flask", "run", "--host=0.0.0.0", $"--port={uvlhub.Profile.SitePort}", "--reload", "--debug"],
        WebServer.Flask => ["flask", "run", "--host=0.0.0.0", $"--port={uvlhub.Profile.SitePort}"],
        _ =>
        [
            "gunicorn", "--bind", $"0.0.0.0:{uvlhub.Profile.SitePort}", .. Workers(
                uvlhub.Options.Gunicorn, isPublished), "--timeout", Seconds(uvlhub.Options.Gunicorn.Timeout),
            "--log-level", "info", uvlhub.Checkout.WsgiApplication,
        ],
    };

    private static string[] Workers(UvlhubOptions.GunicornOptions options, bool isPublished) => options.Workers switch
    {
        // The other machine has other cores: uvlhub_start.py counts them there.
        null when isPublished => [],
        null => ["--workers", Math.Min((2 * Environment.ProcessorCount) + 1, MostWorkers).ToString(CultureInfo.InvariantCulture)],
        { } workers => ["--workers", workers.ToString(CultureInfo.InvariantCulture)],
    };

    private static string Seconds(TimeSpan time) => Math.Max(1, (long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    // Behind nginx nobody comes by this port but the health check, so it may be any.
    private static IResourceBuilder<FlaskResource> WithSitePort(this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub) =>
        uvlhub.Profile is { Server: WebServer.Gunicorn, HasServices: true } && !uvlhub.Options.Ports.ContainsKey(nameof(HostPorts.Web))
            ? builder
            : builder.WithHostPort(uvlhub.Ports.Web);

    private static IResourceBuilder<FlaskResource> WithCheckoutCode(this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub)
    {
        var checkout = uvlhub.Checkout;
        if (uvlhub.Images is { } images)
        {
            if (!builder.Resource.IsApplication)
            {
                builder
                    .WithCheckoutVolume(uvlhub.Names.SnapshotsVolume(checkout.Name), SnapshotsFolder)
                    .WithEnvironment("Uvlhub__Environment", uvlhub.Profile.Name)
                    .WithEnvironment(context => SetServer(context.EnvironmentVariables, uvlhub))
                    .WithEnvironment("Uvlhub__Migrator__Local", "true")
                    .WithEnvironment("Uvlhub__Snapshots__Path", SnapshotsFolder)
                    .WithEnvironment("Uvlhub__Snapshots__Keep", uvlhub.Options.Snapshots.Keep.ToString(CultureInfo.InvariantCulture));
            }

            builder
                .WithDatabaseAuthority(uvlhub)
                .WithBuiltImage(builder.Resource.IsApplication ? images.Web : images.Migrator)
                .DiffersFromCompose(DriftAspect.Image, "the image is built from this checkout, and not pulled from somebody's account")
                .DiffersFromCompose(
                    DriftAspect.Volume, "the code is in the image, and what users upload is in a volume",
                    [.. s_mountedCode.Select(path => $"{checkout.WorkingDirectory}/{path}"), checkout.UploadsFolder])
                .DiffersFromCompose(DriftAspect.Environment, OwnKey, SecretKeys.SecretKey)
                .DiffersFromCompose(
                    DriftAspect.Environment, "a service of the stack deploys, so the site has no use for the token (Uvlhub:IgnoredModules)",
                    SecretKeys.WebhookToken);
            return builder.Resource.Role == FlaskRole.Migrator ? builder
                : builder.WithCheckoutVolume(uvlhub.Names.UploadsVolume(checkout.Name), checkout.UploadsFolder);
        }

        if (CheckoutOwner.Of(checkout.Path, uvlhub.Engine) is { } owner)
        {
            builder
                .WithContainerRuntimeArgs(CheckoutContainer.UserOption(owner))
                .DiffersFromCompose(
                    DriftAspect.Environment, "what the containers write into the checkout belongs to its owner", [
                        .. CheckoutContainer.OwnersVariables.Keys,
                    ]);
            foreach (var (name, value) in CheckoutContainer.OwnersVariables)
            {
                builder.WithEnvironment(name, value);
            }
        }

        return builder
            .DiffersFromCompose(DriftAspect.Environment, OwnKey, SecretKeys.SecretKey)
            .WithBuiltImage(CheckoutImage.Development(checkout, uvlhub.Options, uvlhub.PackageIndex))
            .WithBindMount(checkout.Path, checkout.WorkingDirectory)
            .WithBindMount(
                Path.Combine(RepositoryFolder.AppHost, "Site", "Flask", "startup"), SiteDockerfile.StartupFolder, isReadOnly: true);
    }

    // What production's compose files mount over the code of an image that was built elsewhere.
    private static readonly string[] s_mountedCode = ["entrypoint.sh", "scripts", "migrations", "docker", ".moduleignore"];

    private static void SetEnvironment(
        Dictionary<string, object> environment, UvlhubEnvironment uvlhub, MariaDBServerResource? server, bool isApplication)
    {
        var checkout = uvlhub.Checkout;
        foreach (var (key, value) in checkout.Environment)
        {
            environment[key] = value;
        }

        if (server is not null)
        {
            SetDatabaseEnvironment(environment, uvlhub, server);
        }

        if (uvlhub.Profile.RequiresSecrets && isApplication)
        {
            // uvlhub's scripts ask as root, and in development they run where the site does. The site itself never does.
            environment.Remove(SecretKeys.RootPassword);
        }

        if (uvlhub.Profile.RequiresSecrets && UvlhubOptions.Lists(uvlhub.Options.IgnoredModules, "webhook"))
        {
            environment.Remove(SecretKeys.WebhookToken);
        }

        if (uvlhub.SecretKey is { } secretKey)
        {
            environment[SecretKeys.SecretKey] = secretKey.Resource;
        }

        environment["WORKING_DIR"] = checkout.WorkingDirectory.TrimEnd('/') + "/";

        // Python's caches stay out of the checkout, where they would belong to the container's user.
        environment["PYTHONPYCACHEPREFIX"] = "/tmp/pycache";
        environment["PYTHONUNBUFFERED"] = "1";
        var dockerfilePath = checkout.SiteDockerfile.Environment.GetValueOrDefault("PYTHONPATH");
        environment["PYTHONPATH"] = string.Join(':', new[] { SiteDockerfile.StartupFolder, checkout.Environment.GetValueOrDefault("PYTHONPATH") ?? dockerfilePath }.OfType<string>());
        environment["UVLHUB_IGNORED_MODULES"] = uvlhub.Options.IgnoredModules;
    }

    // What the migrator has to know of a server elsewhere.
    private static void SetServer(Dictionary<string, object> environment, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.ExternalServer is null)
        {
            return;
        }

        var database = uvlhub.Options.Database;
        Set(nameof(database.Administrator), database.Administrator);
        Set(nameof(database.VerifyServer), database.VerifyServer ? null : "false");
        Set(nameof(database.CertificateAuthority), HasAuthority(uvlhub) ? UvlhubEnvironment.AuthorityFile : null);

        void Set(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                environment[$"{UvlhubOptions.Section}__{nameof(UvlhubOptions.Database)}__{name}"] = value;
            }
        }
    }

    private static bool HasAuthority(UvlhubEnvironment uvlhub) =>
        uvlhub.ExternalServer is not null && uvlhub.Options.Database.CertificateAuthority is { Length: > 0 };

    private static IResourceBuilder<FlaskResource> WithDatabaseAuthority(
        this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub)
    {
        if (!HasAuthority(uvlhub))
        {
            return builder;
        }

        var file = Path.GetFullPath(uvlhub.Options.Database.CertificateAuthority!);
        return File.Exists(file)
            ? builder.WithBindMount(file, UvlhubEnvironment.AuthorityFile, isReadOnly: true)
                .WithEnvironment("UVLHUB_DATABASE_CA", UvlhubEnvironment.AuthorityFile)
            : throw new UserErrorException(
                $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Database)}:{nameof(UvlhubOptions.DatabaseOptions.CertificateAuthority)}: "
                + $"there is no file {file}");
    }

    /// <summary>
    /// Says where the database is and who may log in. One <c>.env</c> serves Docker, Vagrant and a bare machine, so what
    /// depends on where the code runs is computed and not read from it.
    /// </summary>
    internal static void SetDatabaseEnvironment(
        Dictionary<string, object> environment, UvlhubEnvironment uvlhub, MariaDBServerResource server)
    {
        environment["MARIADB_HOSTNAME"] = uvlhub.ExternalServer?.Host ?? server.Name;
        environment["MARIADB_PORT"] =
            (uvlhub.ExternalServer?.Port ?? MariaDBServerResource.DefaultPort).ToString(CultureInfo.InvariantCulture);
        environment["MARIADB_DATABASE"] = uvlhub.Checkout.Database;
        environment["MARIADB_USER"] = uvlhub.Checkout.DatabaseUser;
        environment["MARIADB_PASSWORD"] = uvlhub.UserPassword.Resource;
        if (uvlhub.Profile.HasTestDatabase)
        {
            environment["MARIADB_TEST_DATABASE"] = uvlhub.Checkout.TestDatabase;
        }

        if (uvlhub.Checkout.HasOneAccount)
        {
            environment["UVLHUB_GATE"] = "database";
        }
        else
        {
            environment[SecretKeys.RootPassword] = uvlhub.RootPassword.Resource;
        }
    }
}
