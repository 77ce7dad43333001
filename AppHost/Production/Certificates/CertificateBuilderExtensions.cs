using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UvlhubAspire.AppHost.Production;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds what keeps the site's certificate.</summary>
internal static class CertificateBuilderExtensions
{
    private const string PebbleTls = "/etc/pebble/tls";

    /// <summary>
    /// Adds certbot, and with <c>Uvlhub:Tls:Authority=pebble</c> an authority to try it with. The certificate is asked for
    /// over HTTP-01, through nginx, when the site starts without one, and by timer before it ends.
    /// </summary>
    /// <returns>certbot's builder; <see langword="null"/> if the site is served without TLS.</returns>
    public static IResourceBuilder<CertbotResource>? AddCertificates(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub,
        IResourceBuilder<ContainerResource>? nginx)
    {
        if (uvlhub.Tls is not { } tls)
        {
            return null;
        }

        if (nginx is null)
        {
            throw new UserErrorException(
                "a certificate needs nginx, and the checkout runs without; take it in (--Uvlhub:Services=+nginx), or leave "
                + "Uvlhub:Tls:Email out");
        }

        var certbot = builder.AddResource(new CertbotResource(name, nginx.Resource, uvlhub.Names.ServiceContainer("certbot_container")))
            .WithImage("certbot/certbot", "v5.1.0")
            .WithStandIn(RepositoryFolder.StandIn("certbot"))
            .WithContainerName(uvlhub.Names.ServiceContainer("certbot_container"))
            .WithContainerRuntimeArgs("--init")
            .WithCheckoutVolume(uvlhub.Names.CertificatesVolume(uvlhub.Checkout.Name), TlsConfiguration.Certificates)
            .WithCheckoutVolume(uvlhub.Names.WebrootVolume(uvlhub.Checkout.Name), TlsConfiguration.Webroot)
            .WithAutomaticRestart()
            .WithIconName("CertificateAdd");
        if (builder.ExecutionContext.IsPublishMode)
        {
            // There is no AppHost that would keep the time.
            return tls.UsesPebble
                ? throw new UserErrorException(
                    "pebble is an authority for this machine; publish with Uvlhub:Tls:Authority of a real one, or without it")
                : certbot.PublishedAs(PublishedKind.Certificates).WithEntrypoint("sh")
                    .WithArgs(["-c", CertbotResource.Loop, "certbot", .. CertbotResource.Command(tls, renews: false)]).WaitForStart(nginx);
        }

        certbot.WithArgs("infinity");
        if (tls.UsesPebble)
        {
            certbot
                .WithCheckoutVolume(uvlhub.Names.ServiceVolume("pebble_tls", uvlhub.Checkout.Name), PebbleTls, isReadOnly: true)
                .WithEnvironment("REQUESTS_CA_BUNDLE", $"{PebbleTls}/cert.pem")
                .WaitFor(builder.AddPebble(uvlhub));
        }

        builder.Services.AddSingleton(services => ActivatorUtilities.CreateInstance<CertificateKeeper>(services, certbot.Resource, tls));
        builder.Services.AddSingleton<IHostedService>(services => services.GetRequiredService<CertificateKeeper>());
        return certbot
            .WithHealthCheck(services => services.GetRequiredService<CertificateKeeper>())
            .WithCommand(
                "renew", "Renew certificate", RenewAsync,
                new CommandOptions
                {
                    IconName = "ArrowSync",
                    Description = "Asks for a new certificate now; if that fails, the old one "
                    + "stays."
                });
    }

    // Always the one that is built here: what other images of it trust and where they keep it differs.
    private static IResourceBuilder<ContainerResource> AddPebble(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub) =>
        builder.AddResource(new ContainerResource(UvlhubOptions.TlsOptions.Pebble))
            .WithBuiltImage(new ContainerImage(null, ImageRecipe.StandIn(RepositoryFolder.StandIn(UvlhubOptions.TlsOptions.Pebble)), []))
            .WithContainerName(uvlhub.Names.ServiceContainer("pebble_container"))
            .WithContainerRuntimeArgs("--health-interval", "1s", "--health-cmd", "openssl s_client -brief -connect localhost:14000 </dev/null")
            .WithHealthCheck(_ => new EngineHealthCheck(uvlhub.Engine, uvlhub.Names.ServiceContainer("pebble_container")))
            // Pebble refuses one good nonce in twenty, to see whether clients ask again; nobody is helped by that here.
            .WithEnvironment("PEBBLE_WFE_NONCEREJECT", "0")
            .WithCheckoutVolume(uvlhub.Names.ServiceVolume("pebble_tls", uvlhub.Checkout.Name), PebbleTls)
            .WithAutomaticRestart()
            .ExcludeFromManifest()
            .WithIconName("Certificate");

    private static async Task<ExecuteCommandResult> RenewAsync(ExecuteCommandContext context)
    {
        var failure = await context.Services.GetRequiredService<CertificateKeeper>().RenewAsync(context.CancellationToken);
        return failure is null ? CommandResults.Success() : CommandResults.Failure(failure);
    }
}
