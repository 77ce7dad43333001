using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Database;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.Publishing;
using UvlhubAspire.AppHost.Start;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Starts the model of a uvlhub.</summary>
internal static class UvlhubBuilderExtensions
{
    // What the dashboard keeps on the disk: None for as long as it runs, Run for ten runs.
    private const string PersistenceSetting = "Aspire:Dashboard:PersistenceMode";
    private const string PersistenceVariable = "ASPIRE_DASHBOARD_PERSISTENCE_MODE";
    private const string WhileItRuns = "None";

    /// <summary>
    /// Reads the settings and the checkout, and sets up what watches over the whole model: the checks before the start,
    /// the choice of images, and the line that says when the site can be used.
    /// </summary>
    /// <returns>What the resources share.</returns>
    public static UvlhubEnvironment AddUvlhub(this IDistributedApplicationBuilder builder)
    {
        UserErrors.ShowWithoutStackTrace();

        var options = SettingsReader.Read(builder.Configuration);
        var profile = Profile(builder, options);
        var checkout = ReadCheckout(options, profile);

        if (profile.RequiresSecrets)
        {
            // What is published has no secrets in it: they are given where it is deployed.
            checkout = builder.ExecutionContext.IsPublishMode
                ? RequiredSecrets.LeaveOpen(checkout, options)
                : RequiredSecrets.Settle(checkout, options);
        }

        var compose = profile.HasServices
            ? CheckoutComposeFiles.Find(checkout.Path, options.ComposeFile, profile).ReadDevelopment(checkout)
            : null;
        OtherDatabase.Refuse(compose);
        var ports = new HostPorts(options, compose);
        SettingsReader.RefuseUnknownPorts(builder.Configuration, options, ports.Names);
        var names = new InstanceNames(options.Instance, profile);
        var findings = new ComposeFindings(KnownServices.Names.Contains);
        foreach (var finding in compose?.Findings ?? [])
        {
            findings.Add(finding);
        }

        if (builder.ExecutionContext.IsRunMode)
        {
            ProxySettings.AskThisMachineDirectly();
            DashboardAddresses.Choose(builder.Configuration, options, ports.Dashboard);
            if (profile.RequiresSecrets && builder.Configuration[PersistenceVariable] is null)
            {
                // Else the logs, the traces and the variables of the last ten runs stay on the disk, a site's users in them.
                builder.Configuration[PersistenceSetting] ??= WhileItRuns;
            }

            builder.Services.TryAddSingleton(TimeProvider.System);
            // The orchestrator counts as started when every resource is, which one that waits for what has failed never is.
            // Whatever watches over the others must not come after it.
            builder.Services.Configure<HostOptions>(host => host.ServicesStartConcurrently = true);
            builder.Services.AddHostedService<RestartSupervisor>();
            builder.Services.AddHostedService<FailedDependencies>();
            builder.AddSessionNetwork();
            builder.LightenOrchestrator();
            builder.LabelContainers();
        }

        if (options.Report is { Length: > 0 } report)
        {
            builder.Services.AddSingleton(new StartReport(report));
            builder.Services.AddSingleton<ILoggerProvider>(services => services.GetRequiredService<StartReport>());
        }

        if (options.Telemetry)
        {
            builder.AddTelemetryEndpoint();
        }

        var engine = ContainerEngine.FromConfiguration(builder.Configuration);
        builder.Services.AddSingleton(engine);
        builder.Services.AddSingleton<ImageBuilder>();
        builder.Services.AddSingleton<ImagePuller>();
        builder.Services.AddSingleton(new ImageSourceSetting(
            $"{UvlhubOptions.Section}:{nameof(options.Images)}",
            options.Images.Length == 0 ? ImageSource.Auto : Enum.Parse<ImageSource>(options.Images, ignoreCase: true)));
        builder.Services.AddSingleton<ImageChooser>();
        builder.Services.AddSingleton(checkout);
        builder.Services.AddSingleton(ports);
        builder.Services.AddSingleton(names);
        if (options.Check)
        {
            // First, and it ends the process: a comparison needs no engine.
            builder.Services.TryAddEventingSubscriber<DriftWarning>();
        }

        // In this order: a missing engine must be said before a missing image, and the comparison with the compose file
        // looks at the images that the model names, not at their stand-ins.
        builder.Services.TryAddEventingSubscriber<PreflightChecks>();
        builder.Services.TryAddEventingSubscriber<DriftWarning>();
        builder.Services.TryAddEventingSubscriber<ImageResolver>();
        builder.Services.TryAddEventingSubscriber<CheckoutVolumes>();
        builder.Services.TryAddEventingSubscriber<ReadyAnnouncement>();
        builder.AddNamedNetwork(new NetworkName(
            names.Network, compose?.Networks.FirstOrDefault(network => network.EngineName == names.Network)?.Name));
        // Before that: an address may have a password in it.
        builder.Services.TryAddEventingSubscriber<NetworkVariables>();
        builder.AddSecretVariables(SecretKeys.LooksSecret);

        var userPassword = builder.AddSecret($"{profile.SecretPrefix}{SharedNames.UserPassword}", checkout.DatabasePassword);
        var uvlhub = new UvlhubEnvironment
        {
            Checkout = checkout,
            Compose = compose,
            ComposeFindings = findings,
            Services = ServiceSelection.Read(options.Services, compose, checkout),
            Options = options,
            Engine = engine,
            Names = names,
            Ports = ports,
            RootPassword = checkout.HasOneAccount
                ? userPassword
                : builder.AddSecret($"{profile.SecretPrefix}{SharedNames.RootPassword}", checkout.RootPassword),
            UserPassword = userPassword,
            ExternalServer = ExternalServer.Read(options, checkout),
            Certificate = builder.ExecutionContext.IsPublishMode ? CertificateSettings.Read(options, checkout) : null,
            // Not all editions make up their own, and one that is made up at each start ends every session.
            SecretKey = profile.Server == WebServer.Gunicorn || !checkout.Environment.ContainsKey(SecretKeys.SecretKey)
                ? builder.AddSecret(
                    $"{profile.SecretPrefix}secret-key", checkout.Environment.GetValueOrDefault(SecretKeys.SecretKey), length: 50)
                : null,
            Images = profile.Code == CodeSource.InImage ? Images(checkout, options, new PackageIndex(engine), builder.ExecutionContext) : null,
        };
        builder.Services.AddSingleton(uvlhub);
        builder.AddPublishSteps(uvlhub);
        return uvlhub;
    }

    private static UvlhubCheckout ReadCheckout(UvlhubOptions options, EnvironmentProfile profile)
    {
        var folder = Path.TrimEndingDirectorySeparator(
            Path.GetFullPath(string.IsNullOrWhiteSpace(options.Path) ? RepositoryFolder.BundledSample : options.Path));
        // Where secrets are required, the profile's own file has them, and no developer's.
        var named = string.IsNullOrWhiteSpace(options.EnvironmentFile) && !profile.RequiresSecrets && Directory.Exists(folder)
            ? CheckoutComposeFiles.Find(folder, options.ComposeFile, profile).ReadSettingsFile(folder)
            : null;
        return UvlhubCheckout.Read(folder, named is null
            ? profile.Reading(options.EnvironmentFile)
            : profile.Preferring(Path.GetRelativePath(folder, named.Path), named.At.ToString()));
    }

    private static SiteImages Images(
        UvlhubCheckout checkout, UvlhubOptions options, PackageIndex index, DistributedApplicationExecutionContext context) => new(
        checkout,
        options.Pip,
        index,
        context.IsPublishMode ? CheckoutImage.Published(checkout, options.Publish) : CheckoutImage.Site(checkout),
        cancellationToken => CheckoutVersion.ReadAsync(checkout, options, cancellationToken),
        !context.IsPublishMode ? SiteDockerfile.MigratorStage
            : SecretKeys.OfBackups(options.Backups.Repository).Contains(SecretKeys.BackupSshKey) ? SiteDockerfile.SftpStage
            : SiteDockerfile.OperatorStage);

    private static EnvironmentProfile Profile(IDistributedApplicationBuilder builder, UvlhubOptions options)
    {
        if (builder.ExecutionContext.IsRunMode)
        {
            return EnvironmentProfile.Of(options.Environment, EnvironmentProfile.Development);
        }

        // 'aspire publish --environment NAME' names it too. A developer's own .env says nothing about the server.
        var named = EnvironmentProfile.All.FirstOrDefault(
            known => known.Name.Equals(builder.Environment.EnvironmentName, StringComparison.OrdinalIgnoreCase));
        var profile = EnvironmentProfile.Of(options.Environment, named ?? EnvironmentProfile.Production);
        if (!profile.HasServices)
        {
            throw new UserErrorException(
                $"{profile.Name} is one container, which needs no file beside the checkout's {profile.ImageDockerfile}; publish Staging "
                + $"or Production ({EnvironmentProfile.Setting})");
        }

        return profile.RequiresSecrets
            ? profile with { EnvironmentFiles = [profile.EnvironmentFiles[0], profile.EnvironmentFiles[^1], .. profile.EnvironmentFiles] }
            : profile;
    }

    private static IResourceBuilder<ParameterResource> AddSecret(
        this IDistributedApplicationBuilder builder, string name, string? value, int length = 22) =>
        string.IsNullOrEmpty(value)
            ? builder.AddParameter(name, new GenerateParameterDefault { MinLength = length, Special = false }, secret: true, persist: true)
            : builder.AddParameter(name, value, secret: true);
}
