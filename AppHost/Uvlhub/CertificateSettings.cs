using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>What is needed to have a certificate: whose, for whom, and from whom.</summary>
internal sealed partial record CertificateSettings
{
    private const string Section = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Certificate)}";

    /// <summary>The setting without which there is none.</summary>
    public const string EmailSetting = $"{Section}:{nameof(UvlhubOptions.CertificateOptions.Email)}";

    /// <summary>The site's name on the network.</summary>
    public required string Domain { get; init; }

    /// <summary>Whom the authority writes to.</summary>
    public required string Email { get; init; }

    /// <summary>The authority's ACME directory; <see langword="null"/> for certbot's own, which is Let's Encrypt.</summary>
    public required string? Authority { get; init; }

    /// <summary>The file with what the authority's own server is known by; <see langword="null"/> for what everybody knows.</summary>
    public required string? AuthorityFile { get; init; }

    /// <summary>The settings; <see langword="null"/> if the site shall be served without TLS.</summary>
    /// <exception cref="UserErrorException">A setting is missing or malformed.</exception>
    public static CertificateSettings? Read(UvlhubOptions options, UvlhubCheckout checkout)
    {
        if (string.IsNullOrWhiteSpace(options.Certificate.Email) || checkout.Profile.Server != WebServer.Gunicorn)
        {
            return null;
        }

        if (!checkout.Profile.HasServices)
        {
            throw new UserErrorException(
                $"{checkout.Profile.Name} has no nginx, and so no certificate: TLS is the business of whatever stands in front of it; "
                + $"leave {EmailSetting} out");
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

        var file = options.Certificate.AuthorityFile is { Length: > 0 } path ? Path.GetFullPath(path) : null;
        return file is null || File.Exists(file)
            ? new CertificateSettings
            {
                Domain = domain,
                Email = options.Certificate.Email,
                Authority = string.IsNullOrWhiteSpace(options.Certificate.Authority) ? null : options.Certificate.Authority.Trim(),
                AuthorityFile = file,
            }
            : throw new UserErrorException($"{Section}:{nameof(options.Certificate.AuthorityFile)}: there is no file {file}");
    }

    [GeneratedRegex(@"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$")]
    private static partial Regex DomainName();
}
