using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Start;

/// <summary>
/// Moves the dashboard's addresses, which the launch profile fixes, so that several environments run side by side.
/// Aspire reads them when the application is built, so this comes before that.
/// </summary>
internal static class DashboardAddresses
{
    /// <summary>The setting with the page's own addresses, separated by semicolons.</summary>
    public const string Frontend = "ASPNETCORE_URLS";

    /// <summary>The name that Aspire gives it among the resources.</summary>
    public const string Resource = "aspire-dashboard";

    // What only programs connect to; nobody has these in a bookmark.
    private static readonly string[] s_internal =
    [
        "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL",
        "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "ASPIRE_DASHBOARD_MCP_ENDPOINT_URL",
    ];

    /// <summary>
    /// Puts the page on the port that is set, or with an instance on any free one. Everything behind it gets free ports
    /// with an instance (two that start at once both find the usual ones free), and else where its own is taken.
    /// </summary>
    /// <param name="configuration">The application's configuration; changed in place.</param>
    /// <param name="options">The settings.</param>
    /// <param name="port">The page's port.</param>
    public static void Choose(IConfigurationManager configuration, UvlhubOptions options, HostPort port)
    {
        var hasInstance = !string.IsNullOrEmpty(options.Instance);
        if (options.Ports.ContainsKey(nameof(HostPorts.Dashboard)) || hasInstance)
        {
            Move(configuration, Frontend, _ => port.Number ?? FreePorts.Next());
        }

        foreach (var setting in s_internal)
        {
            Move(configuration, setting, current => !hasInstance && FreePorts.IsFree(current) ? current : FreePorts.Next());
        }
    }

    /// <summary>The port of the page; <see langword="null"/> if no address is set.</summary>
    public static int? Port(IConfiguration configuration) =>
        Uri.TryCreate(configuration[Frontend]?.Split(';')[0], UriKind.Absolute, out var address) ? address.Port : null;

    /// <summary>
    /// The page's address with the token that logs in, once the dashboard runs: the port of its endpoint, which
    /// <c>aspire run --isolated</c> and tests choose after the configuration was read.
    /// </summary>
    /// <returns>The address; <see langword="null"/> if the dashboard is disabled.</returns>
    public static async Task<string?> LoginUrlAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        var dashboard = services.GetRequiredService<DistributedApplicationModel>().Resources
            .OfType<IResourceWithEndpoints>().SingleOrDefault(resource => resource.Name == Resource);
        var endpoint = ((string[])["https", "http"]).Select(name => dashboard?.GetEndpoint(name))
            .FirstOrDefault(endpoint => endpoint is { Exists: true });
        if (endpoint is null)
        {
            return null;
        }

        var page = await endpoint.GetValueAsync(cancellationToken);
        var token = services.GetRequiredService<IConfiguration>()["AppHost:BrowserToken"];
        return token is null ? page : $"{page}/login?t={token}";
    }

    private static void Move(IConfigurationManager configuration, string setting, Func<int, int> choose)
    {
        if (configuration[setting] is not { Length: > 0 } addresses)
        {
            return;
        }

        configuration[setting] = string.Join(';', addresses.Split(';').Select(address =>
            Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IsLoopback
                ? new UriBuilder(uri) { Port = choose(uri.Port) }.Uri.GetLeftPart(UriPartial.Authority)
                : address));
    }
}
