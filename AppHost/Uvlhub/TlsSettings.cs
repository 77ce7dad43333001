using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>What is needed to have a certificate: whose, for whom, and from whom.</summary>
internal sealed partial record TlsSettings
{
    private const string Section = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Tls)}";

    /// <summary>The site's name on the network.</summary>
    public required string Domain { get; init; }

    /// <summary>Whom the authority writes to.</summary>
    public required string Email { get; init; }

    /// <summary>The authority's ACME directory; <see langword="null"/> for certbot's own, which is Let's Encrypt.</summary>
    public required string? Authority { get; init; }

    /// <summary>Whether the authority is <see cref="UvlhubOptions.TlsOptions.Pebble"/>.</summary>
    public bool UsesPebble => Authority == UvlhubOptions.TlsOptions.Pebble;

    /// <summary>How long before its end a certificate is renewed.</summary>
    public required TimeSpan RenewBefore { get; init; }

    /// <summary>How often the certificate is looked at.</summary>
    public required TimeSpan CheckEvery { get; init; }

    /// <summary>The settings; <see langword="null"/> if the site shall be served without TLS.</summary>
    /// <exception cref="UserErrorException">A setting is missing or malformed.</exception>
    public static TlsSettings? Read(UvlhubOptions options, UvlhubCheckout checkout)
    {
        if (string.IsNullOrWhiteSpace(options.Tls.Email) || checkout.Profile.Server != WebServer.Gunicorn)
        {
            return null;
        }

        if (!checkout.Profile.HasServices)
        {
            throw new UserErrorException(
                $"{checkout.Profile.Name} has no nginx, and so no certificate: TLS is the business of whatever stands in front of it; "
                + $"leave {Section}:{nameof(options.Tls.Email)} out");
        }

        var domain = (options.Domain is { Length: > 0 } set ? set : checkout.Environment.GetValueOrDefault("DOMAIN", "")).Trim()
            .ToLowerInvariant();
        // It becomes part of nginx's configuration and of paths.
        if (!DomainName().IsMatch(domain))
        {
            throw new UserErrorException(
                $"a certificate needs the site's name on the network, and '{domain}' is none; set "
                + $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Domain)}=uvlhub.example.org, or DOMAIN in "
                + $"{checkout.EnvironmentFile.Path}");
        }

        return new TlsSettings
        {
            Domain = domain,
            Email = options.Tls.Email,
            Authority = string.IsNullOrWhiteSpace(options.Tls.Authority) ? null : options.Tls.Authority.Trim(),
            RenewBefore = options.Tls.RenewBefore,
            CheckEvery = options.Tls.CheckEvery,
        };
    }

    [GeneratedRegex(@"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$")]
    private static partial Regex DomainName();
}
