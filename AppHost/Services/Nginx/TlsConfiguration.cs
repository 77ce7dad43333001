using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Services;

/// <summary>
/// nginx's two configurations, made of the checkout's templates: one that answers the authority's question, and one with
/// TLS that sends everybody there. Which of them counts is seen from whether there is a certificate.
/// </summary>
internal static partial class TlsConfiguration
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
    /// <param name="checkout">The checkout.</param>
    /// <param name="names">The names on the engine: two sites of one checkout have a folder each.</param>
    /// <param name="domain">The site's name.</param>
    /// <param name="deploys">Whether <c>/webhook/deploy</c> is passed on to the updater.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="UserErrorException">The checkout has no templates.</exception>
    public static async Task<string> WriteAsync(
        UvlhubCheckout checkout, InstanceNames names, string domain, bool deploys, CancellationToken cancellationToken)
    {
        var source = Path.Combine(checkout.Path, "docker", "nginx");
        var folder = Directory.CreateDirectory(OwnFolder(checkout, names, domain)).FullName;
        foreach (var name in (string[])[WithoutTls, WithTls])
        {
            var template = Path.Combine(source, $"{name}.template");
            if (!File.Exists(template))
            {
                throw new UserErrorException(
                    $"there is no {template}, of which nginx's configuration with a certificate is made. Put it there, or run without "
                    + "TLS: leave Uvlhub:Certificate:Email out");
            }

            var text = (await File.ReadAllTextAsync(template, cancellationToken)).Replace(Placeholder, domain, StringComparison.Ordinal);
            var filled = name == WithTls && deploys ? WithDeployment(text) : text;
            await File.WriteAllTextAsync(Path.Combine(folder, name), filled, cancellationToken);
        }

        return folder;
    }

    /// <summary>
    /// What runs in front of nginx: it takes the configuration that fits, and looks every other second whether the
    /// certificate is another than the one that nginx has read; nginx then reads it, and drops no connection.
    /// </summary>
    public static IReadOnlyList<string> Before(string domain) => ["sh", "-c", Script(domain), "nginx"];

    /// <summary>The folder of both; it exists after <see cref="WriteAsync"/>.</summary>
    public static string OwnFolder(UvlhubCheckout checkout, InstanceNames names, string domain) => Path.Combine(
        RepositoryFolder.AppHost, "obj", "uvlhub-nginx",
        $"{checkout.Name}-{Names.Digest($"{checkout.Path} {domain} {names.Network}", 8)}");

    // Only in the part with TLS: a token is not sent in the open.
    private static string WithDeployment(string configuration) => ServerWithTls().Replace(configuration, $$"""
        $&

                location = /webhook/deploy {
                    proxy_pass http://{{SwarmDeployments.Updater}}:9000;
                    proxy_set_header X-Real-IP $remote_addr;
                    # Before 1.1, which is not what nginx speaks by itself, a request without a body has to say so: curl -X POST does not.
                    proxy_http_version 1.1;
                }
        """);

    [GeneratedRegex(@"\bserver\s*\{(?=[^{}]*\blisten\b[^;{}]*\bssl\b)")]
    private static partial Regex ServerWithTls();

    private static string Script(string domain) => $$"""
        certificate={{Certificates}}/live/{{domain}}/fullchain.pem
        choose() {
            if [ -s "$certificate" ]; then cp {{Folder}}/{{WithTls}} /etc/nginx/nginx.conf; else cp {{Folder}}/{{WithoutTls}} /etc/nginx/nginx.conf; fi
        }
        choose
        seen=$(cksum 2>/dev/null <"$certificate")
        (
            while sleep 2; do
                now=$(cksum 2>/dev/null <"$certificate")
                [ "$now" = "$seen" ] || { choose; nginx -t -q && nginx -s reload && seen=$now; }
            done
        ) &
        exec "$@"
        """;
}
