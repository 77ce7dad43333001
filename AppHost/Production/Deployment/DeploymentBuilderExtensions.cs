using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Production;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Lets a running Production be replaced by a newer version.</summary>
internal static class DeploymentBuilderExtensions
{
    /// <summary>
    /// Adds the command <b>Deploy</b> to the site, the container that serves while it is replaced, and with
    /// <c>Uvlhub:Deploy:Webhook</c> the address at which a deployment is asked for. Compose's webhook and watchtower, without
    /// the engine's socket in a container.
    /// </summary>
    /// <param name="web">The site.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="database">The application's database.</param>
    /// <param name="migrator">What brings the schema up to date.</param>
    /// <param name="nginx">The web server; without one there is nobody who could switch.</param>
    /// <returns>The site's builder.</returns>
    public static IResourceBuilder<FlaskResource> WithDeployment(
        this IResourceBuilder<FlaskResource> web,
        UvlhubEnvironment uvlhub,
        IResourceBuilder<MariaDBDatabaseResource> database,
        IResourceBuilder<IResource> migrator,
        IResourceBuilder<ContainerResource>? nginx)
    {
        var builder = web.ApplicationBuilder;
        if (uvlhub.Images is null || nginx is null || builder.ExecutionContext.IsPublishMode)
        {
            return web;
        }

        var deploy = uvlhub.Options.Deploy;
        var standby = builder.AddStandby($"{web.Resource.Name}-next", uvlhub, database);
        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<Deployer>(
            services,
            new DeploymentTargets(
                web.Resource, standby.Resource, migrator.Resource, [.. builder.With(FlaskRole.Worker)],
                builder.With(FlaskRole.Toolbox).Single()),
            new NginxSwitch(
                uvlhub.Engine, services.GetRequiredService<NginxReload>(), nginx.Resource.ContainerName()!, nginx.NamesOf(web.Resource)),
            Versions(uvlhub),
            new ReplacedImages(
                uvlhub.Engine, [web.Resource.ContainerName()!, standby.Resource.ContainerName()!, migrator.Resource.ContainerName()!])));
        if (deploy is { Image: not null, CheckEvery: var every } && every > TimeSpan.Zero)
        {
            builder.Services.AddSingleton<IHostedService>(
                services => ActivatorUtilities.CreateInstance<RegistryWatch>(services, web.Resource, every));
        }

        if (deploy.Webhook)
        {
            builder.AddWebhook(uvlhub);
        }

        return web.WithCommand("deploy", "Deploy", DeployAsync, new CommandOptions
        {
            Description = "Replaces the site by the newest version: migrates, starts it beside the old one, and switches when it is "
                + "healthy.",
            ConfirmationMessage = "Replace the running site by the newest version?",
            IconName = "RocketLaunch",
        });
    }

    private static IEnumerable<FlaskResource> With(this IDistributedApplicationBuilder builder, FlaskRole role) =>
        builder.Resources.OfType<FlaskResource>().Where(flask => flask.Role == role);

    private static IVersionSource Versions(UvlhubEnvironment uvlhub) => uvlhub.Options.Deploy switch
    {
        { Image: { } image } => new RegistryVersions(uvlhub.Engine, image),
        { Pull: true } => new GitVersions(uvlhub.Checkout.Path),
        _ => new CheckoutAsItStands(),
    };

    private static void AddWebhook(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub)
    {
        var given = uvlhub.Checkout.EnvironmentFile.Values.GetValueOrDefault(SecretKeys.WebhookToken);
        if (string.IsNullOrEmpty(given) || SecretKeys.IsPlaceholder(given))
        {
            throw new UserErrorException(
                "Uvlhub:Deploy:Webhook needs WEBHOOK_TOKEN: a long random value, such as 'openssl rand -hex 32' prints",
                uvlhub.Checkout.EnvironmentFile.Path, uvlhub.Checkout.EnvironmentFile.LineOf(SecretKeys.WebhookToken));
        }

        var port = uvlhub.Ports.Webhook;
        builder.Services.AddSingleton<IHostedService>(services => new Webhook(
            services.GetRequiredService<Deployer>().DeployAsync,
            given,
            port.Number ?? FreePorts.Next(),
            uvlhub.Tls is { } tls ? TlsConfiguration.DeploymentSocket(uvlhub.Checkout, uvlhub.Names, tls.Domain) : null,
            services.GetRequiredService<ILoggerFactory>()));
    }

    private static async Task<ExecuteCommandResult> DeployAsync(ExecuteCommandContext context)
    {
        try
        {
            await context.Services.GetRequiredService<Deployer>().DeployAsync(context.CancellationToken);
            return CommandResults.Success();
        }
        catch (DeploymentException failure)
        {
            return CommandResults.Failure(failure.Message);
        }
    }
}
