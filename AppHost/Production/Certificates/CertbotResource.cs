using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Production;

/// <summary>The container in which certbot asks for certificates: compose's <c>certbot</c>, which somebody had to run by hand.</summary>
internal sealed class CertbotResource(string name, ContainerResource webServer, string container) : ContainerResource(name, "sleep")
{
    /// <summary>The web server that answers the authority.</summary>
    public ContainerResource WebServer { get; } = webServer;

    /// <summary>The container's name.</summary>
    public string Container { get; } = container;

    /// <summary>
    /// Runs the words behind it twice a day, or after ten minutes if they fail: as a container that keeps the time itself.
    /// </summary>
    public const string Loop = """trap 'exit 0' TERM; sleep 10; while :; do if "$@"; then pause=12h; else pause=10m; fi; sleep $pause & wait $!; done""";

    /// <summary>The command that asks.</summary>
    /// <param name="settings">For whom, and from whom.</param>
    /// <param name="renews">Whether a certificate that still holds is replaced.</param>
    public static IReadOnlyList<string> Command(TlsSettings settings, bool renews) =>
    [
        "certbot", "certonly", "--webroot", "--webroot-path", TlsConfiguration.Webroot, "--domain", settings.Domain, "--cert-name",
        settings.Domain,
        "--email", settings.Email, "--agree-tos", "--no-eff-email", "--non-interactive",
        .. settings.UsesPebble ? ["--server", PebbleDirectory]
            : settings.Authority is { } authority ? ["--server", authority]
            : Array.Empty<string>(),
        renews ? "--force-renewal" : "--keep-until-expiring",
    ];

    private const string PebbleDirectory = "https://pebble:14000/dir";
}
