using UvlhubAspire.AppHost.Release;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Certificates;

/// <summary>
/// nginx's two configurations, made of the checkout's templates: one that answers the authority's question, and one with
/// TLS that sends everybody there. Which of them counts is seen from whether there is a certificate.
/// </summary>
internal static class TlsConfiguration
{
    /// <summary>Where nginx finds both.</summary>
    public const string Folder = "/etc/nginx/uvlhub";

    /// <summary>Where certbot keeps certificates.</summary>
    public const string Certificates = "/etc/letsencrypt";

    /// <summary>Where certbot puts the answers to the authority's questions, and nginx finds them.</summary>
    public const string Webroot = "/var/www";

    private const string WithoutTls = "nginx.prod.no-ssl.conf";
    private const string WithTls = "nginx.prod.ssl.conf";
    private const string Placeholder = "{{domain}}";

    /// <summary>Writes both, outside of the checkout.</summary>
    /// <returns>The folder.</returns>
    /// <exception cref="CheckoutException">The checkout has no templates.</exception>
    public static string Write(UvlhubCheckout checkout, string domain)
    {
        var source = Path.Combine(checkout.Path, "docker", "nginx");
        var folder = Directory.CreateDirectory(Path.Combine(
            RepositoryFolder.AppHost, "obj", "uvlhub-nginx", $"{checkout.Name}-{SiteImages.Digest($"{checkout.Path} {domain}")}")).FullName;
        foreach (var name in (string[])[WithoutTls, WithTls])
        {
            var template = Path.Combine(source, $"{name}.template");
            if (!File.Exists(template))
            {
                throw new CheckoutException($"there is no {template}, of which nginx's configuration with a certificate is made. Put it there, or run without TLS: leave Uvlhub:Tls:Email out");
            }

            File.WriteAllText(Path.Combine(folder, name), File.ReadAllText(template).Replace(Placeholder, domain, StringComparison.Ordinal));
        }

        return folder;
    }

    /// <summary>
    /// What runs in front of nginx: it takes the configuration that fits, and looks every other second whether the
    /// certificate is another; nginx then reads it again and drops no connection.
    /// </summary>
    public static IReadOnlyList<string> Before(string domain) => ["sh", "-c", Script(domain), "nginx"];

    private static string Script(string domain) => $$"""
        certificate={{Certificates}}/live/{{domain}}/fullchain.pem
        choose() {
            if [ -s "$certificate" ]; then cp {{Folder}}/{{WithTls}} /etc/nginx/nginx.conf; else cp {{Folder}}/{{WithoutTls}} /etc/nginx/nginx.conf; fi
            seen=$(cksum 2>/dev/null <"$certificate")
        }
        choose
        (
            while sleep 2; do
                [ "$(cksum 2>/dev/null <"$certificate")" = "$seen" ] || { choose; nginx -t -q && nginx -s reload; }
            done
        ) &
        exec "$@"
        """;
}
