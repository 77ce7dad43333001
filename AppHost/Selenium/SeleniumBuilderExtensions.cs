using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Flask;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Selenium;

/// <summary>Adds the grid of browsers for tests of the site's pages.</summary>
internal static class SeleniumBuilderExtensions
{
    private const string Version = "4.35.0";

    // One image for the hub and for the node with Chromium; Debian has Firefox, but not its driver.
    private const string StandIn = "selenium";
    private const string HttpEndpointName = "http";
    private const int HubPort = 4444;
    private const int ScreenPort = 5900;

    /// <summary>Adds the hub, which tests talk to. It is healthy when it answers; whether it has browsers is their health.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name; also the service's.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <returns>The hub's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddSeleniumHub(this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub) =>
        !uvlhub.Services.Includes(name) ? null : builder.AddService(name, uvlhub, $"selenium/hub:{Version}", StandIn, "selenium_hub_container")
            .WithHttpEndpoint(targetPort: HubPort, name: HttpEndpointName)
            .WithHostPort(uvlhub.Ports.Selenium, HttpEndpointName)
            .WithEndpoint(targetPort: 4442, name: "publish")
            .WithHostPort(uvlhub.Ports.SeleniumPublish, "publish")
            .WithEndpoint(targetPort: 4443, name: "subscribe")
            .WithHostPort(uvlhub.Ports.SeleniumSubscribe, "subscribe")
            .WithHttpHealthCheck("/status", endpointName: HttpEndpointName)
            .WithIconName("WindowMultiple");

    /// <summary>
    /// Adds a browser of the grid. It is healthy when the hub knows it, so that a test which waits for it finds the grid
    /// ready.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name; also the service's.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <param name="browser"><c>chrome</c> or <c>firefox</c>.</param>
    /// <param name="hub">The hub.</param>
    /// <param name="screen">The port on the host that shows its screen, by VNC.</param>
    /// <returns>The browser's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddSeleniumNode(
        this IDistributedApplicationBuilder builder,
        [ResourceName] string name,
        UvlhubEnvironment uvlhub,
        string browser,
        IResourceBuilder<ContainerResource>? hub,
        HostPort screen)
    {
        if (!uvlhub.Services.Includes(name) || hub is null)
        {
            return null;
        }

        var node = builder.AddService(name, uvlhub, $"selenium/node-{browser}:{Version}", browser == "chrome" ? StandIn : null, $"selenium_{browser}_container")
            .WithEndpoint(targetPort: ScreenPort, name: "vnc", scheme: "vnc")
            .WithHostPort(screen)
            .WaitFor(hub)
            .WithIconName("Window");

        var key = $"{name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, _ => new GridNodeHealthCheck(() => new Uri(hub.GetEndpoint(HttpEndpointName).Url), browser), failureStatus: null, tags: null));
        node.WithHealthCheck(key);

        return uvlhub.Compose?.Service(name) is not null ? node : node
            .WithContainerRuntimeArgs("--shm-size", "2gb")
            .WithEnvironment("SE_EVENT_BUS_HOST", hub.Resource.Name)
            .WithEnvironment("SE_EVENT_BUS_PUBLISH_PORT", "4442")
            .WithEnvironment("SE_EVENT_BUS_SUBSCRIBE_PORT", "4443")
            .WithEnvironment("SE_VNC_NO_PASSWORD", "1");
    }

    /// <summary>
    /// Tells tests that run in this container where the grid is, and the address by which its browsers reach the site:
    /// <c>localhost</c> inside a browser's container is that container.
    /// </summary>
    /// <param name="builder">A container with the checkout's code.</param>
    /// <param name="hub">The hub; without one nothing is set, and tests start a browser of their own.</param>
    /// <param name="site">The address of the site on the containers' network.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<FlaskResource> WithSeleniumGrid(this IResourceBuilder<FlaskResource> builder, IResourceBuilder<ContainerResource>? hub, string site) =>
        hub is null ? builder : builder
            .WithEnvironment(context =>
            {
                context.EnvironmentVariables["SELENIUM_GRID_URL"] = $"http://{hub.Resource.Name}:{HubPort}";
                context.EnvironmentVariables["SELENIUM_TARGET_URL"] = site;
            })
            .DiffersFromCompose(DriftAspect.Environment, "tests are told where the grid is, and by which address its browsers reach the site", "SELENIUM_*");
}
