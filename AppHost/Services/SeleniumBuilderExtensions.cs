using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Adds the grid of browsers for tests of the site's pages.</summary>
internal static class SeleniumBuilderExtensions
{
    private const string Version = "4.35.0";

    // One image for the hub and for the node with Chromium; Debian has Firefox, but not its driver.
    private const string StandIn = "selenium";
    private const string HttpEndpointName = "http";
    private const int HubPort = 4444;

    /// <summary>The hub; its event bus is where browsers register.</summary>
    public static KnownService Hub { get; } = new("selenium-hub", "selenium_hub_container", $"selenium/hub:{Version}", StandIn)
    {
        Ports =
        [
            new("Selenium", HubPort, HttpEndpointName) { Scheme = "http" }, new("SeleniumPublish", 4442, "publish"),
            new("SeleniumSubscribe", 4443, "subscribe"),
        ],
    };

    /// <summary>Chrome, with its screen by VNC.</summary>
    public static KnownService Chrome { get; } = Browser("chrome", "Chrome", screen: 5900, StandIn);

    /// <summary>Firefox, with its screen by VNC.</summary>
    public static KnownService Firefox { get; } = Browser("firefox", "Firefox", screen: 5901, standIn: null);

    /// <summary>Adds the hub, which tests talk to. It is healthy when it answers; whether it has browsers is their health.</summary>
    /// <returns>The hub's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddSeleniumHub(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub) =>
        builder.AddService(uvlhub, Hub)?
            .WithHttpHealthCheck("/status", endpointName: HttpEndpointName)
            .WithIconName("WindowMultiple");

    /// <summary>Adds Chrome to the grid.</summary>
    /// <returns>The browser's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddSeleniumChrome(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, IResourceBuilder<ContainerResource>? hub) =>
        builder.AddNode(uvlhub, Chrome, hub);

    /// <summary>Adds Firefox to the grid.</summary>
    /// <inheritdoc cref="AddSeleniumChrome"/>
    public static IResourceBuilder<ContainerResource>? AddSeleniumFirefox(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, IResourceBuilder<ContainerResource>? hub) =>
        builder.AddNode(uvlhub, Firefox, hub);

    // It is healthy when the hub knows it, so that a test which waits for it finds the grid ready.
    private static IResourceBuilder<ContainerResource>? AddNode(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, KnownService browser,
        IResourceBuilder<ContainerResource>? hub)
    {
        if (hub is null || builder.AddService(uvlhub, browser) is not { } node)
        {
            return null;
        }

        node
            .WaitFor(hub)
            .WithHealthCheck(_ => new GridNodeHealthCheck(
                () => new Uri(hub.GetEndpoint(HttpEndpointName).Url), browser.Name["selenium-".Length..]))
            .WithIconName("Window");

        return uvlhub.Compose?.Service(browser.Name) is not null ? node : node
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
    public static IResourceBuilder<FlaskResource> WithSeleniumGrid(
        this IResourceBuilder<FlaskResource> builder, IResourceBuilder<ContainerResource>? hub, string site) =>
        hub is null ? builder : builder
            .WithEnvironment(context =>
            {
                context.EnvironmentVariables["SELENIUM_GRID_URL"] = $"http://{hub.Resource.Name}:{HubPort}";
                context.EnvironmentVariables["SELENIUM_TARGET_URL"] = site;
            })
            .DiffersFromCompose(
                DriftAspect.Environment, "tests are told where the grid is, and by which address its browsers reach the site",
                "SELENIUM_*");

    private static KnownService Browser(string name, string setting, int screen, string? standIn) =>
        new($"selenium-{name}", $"selenium_{name}_container", $"selenium/node-{name}:{Version}", standIn)
        {
            Ports = [new(setting, 5900, "vnc") { Scheme = "vnc", Default = screen }],
            Needs = Hub.Name,
        };
}
