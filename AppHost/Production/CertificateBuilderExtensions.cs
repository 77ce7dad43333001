using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds what keeps the certificate of a site that is deployed.</summary>
internal static class CertificateBuilderExtensions
{
    // A certificate that ends so soon should have been renewed long ago.
    private const string TenDays = "864000";
    private const string AuthorityFile = "/etc/uvlhub-authority.pem";

    // Authorities count failures and close the door. So the next attempt comes after two minutes, then twice that, up to six hours, and
    // a container that is started again asks no earlier.
    private const string Loop = """
        trap 'exit 0' TERM
        next=/etc/letsencrypt/uvlhub-next; pause=60
        while :; do
            sleep 10 & wait $!
            if [ "$(date +%s)" -ge "$(cat $next 2>/dev/null || echo 0)" ]; then
                if "$@"; then pause=60; due=43200; else pause=$((pause * 2)); [ $pause -le 21600 ] || pause=21600; due=$pause; fi
                echo $(($(date +%s) + due)) >$next
            fi
        done
        """;

    /// <summary>
    /// Adds certbot, which asks for the certificate over HTTP-01, through nginx, when there is none, and thirty days before it ends. A
    /// failure leaves the one that is there. It is unhealthy when that ends within ten days.
    /// </summary>
    public static void AddCertificates(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub,
        IResourceBuilder<ContainerResource>? nginx)
    {
        if (uvlhub.Certificate is not { } certificate)
        {
            return;
        }

        if (nginx is null)
        {
            throw new UserErrorException(
                "a certificate needs nginx, and the checkout runs without; take it in (--Uvlhub:Services=+nginx), or leave "
                + $"{CertificateSettings.EmailSetting} out");
        }

        var certbot = builder.AddResource(new ContainerResource(name))
            .WithImage("certbot/certbot", "v5.1.0")
            .WithStandIn(RepositoryFolder.StandIn("certbot"))
            .WithVolume(uvlhub.Names.CertificatesVolume(uvlhub.Checkout.Name), TlsConfiguration.Certificates)
            .WithVolume(uvlhub.Names.WebrootVolume(uvlhub.Checkout.Name), TlsConfiguration.Webroot)
            .WithEntrypoint("sh")
            .WithArgs(
            [
                "-c", Loop, "certbot", "certbot", "certonly", "--webroot", "--webroot-path", TlsConfiguration.Webroot, "--domain",
                certificate.Domain, "--cert-name", certificate.Domain, "--email", certificate.Email, "--agree-tos", "--no-eff-email",
                "--non-interactive", "--keep-until-expiring",
                .. certificate.Authority is { } authority ? ["--server", authority] : Array.Empty<string>(),
            ])
            .WaitForStart(nginx)
            .PublishedAs(PublishedKind.Certificates, new PublishedProbe(
            [
                "sh", "-c",
                $"live={TlsConfiguration.Certificates}/live/{certificate.Domain}/fullchain.pem; [ ! -e $live ] || openssl x509 -noout "
                + $"-enddate -checkend {TenDays} -in $live",
            ]));
        if (certificate.AuthorityFile is { } file)
        {
            certbot.WithBindMount(file, AuthorityFile, isReadOnly: true).WithEnvironment("REQUESTS_CA_BUNDLE", AuthorityFile);
        }
    }
}
