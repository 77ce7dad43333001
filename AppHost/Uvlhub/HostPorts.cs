using System.Globalization;
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// The ports on the host: what a setting says, else what the checkout's compose file publishes, else the tutorial's; an
/// instance of its own takes any free ones instead, so that it starts beside whatever already runs.
/// </summary>
/// <param name="options">The settings.</param>
/// <param name="compose">The checkout's development compose file; <see langword="null"/> if it has none.</param>
internal sealed class HostPorts(UvlhubOptions options, ComposeFile? compose = null)
{
    /// <summary>The Flask application.</summary>
    public HostPort Web => Of(nameof(options.Ports.Web), options.Ports.Web, Published("web", 5000, 5000));

    /// <summary>MariaDB.</summary>
    public HostPort Database => Of(nameof(options.Ports.Database), options.Ports.Database, Published("db", 3306, 3306));

    /// <summary>The Aspire dashboard.</summary>
    public HostPort Dashboard => Of(nameof(options.Ports.Dashboard), options.Ports.Dashboard, 15888);

    /// <summary>The Python debugger.</summary>
    public HostPort Debugger => Of(nameof(options.Ports.Debugger), options.Ports.Debugger, 5678);

    /// <summary>nginx.</summary>
    public HostPort Nginx => Of(nameof(options.Ports.Nginx), options.Ports.Nginx, Published("nginx", 80, 80));

    /// <summary>nginx with TLS.</summary>
    public HostPort Https => Of(nameof(options.Ports.Https), options.Ports.Https, Published("nginx", 443, 443));

    /// <summary>Where a deployment is asked for.</summary>
    public HostPort Webhook => Of(nameof(options.Ports.Webhook), options.Ports.Webhook, 9000);

    /// <summary>Redis, which compose does not publish: any free port.</summary>
    public HostPort Redis => Of(nameof(options.Ports.Redis), options.Ports.Redis, Published("redis", 6379, 0));

    /// <summary>Elasticsearch.</summary>
    public HostPort Elasticsearch => Of(nameof(options.Ports.Elasticsearch), options.Ports.Elasticsearch, Published("elasticsearch", 9200, 9200));

    /// <summary>Mailhog's page.</summary>
    public HostPort Mailhog => Of(nameof(options.Ports.Mailhog), options.Ports.Mailhog, Published("mailhog", 8025, 8025));

    /// <summary>Mailhog's mail server.</summary>
    public HostPort Smtp => Of(nameof(options.Ports.Smtp), options.Ports.Smtp, Published("mailhog", 1025, 1025));

    /// <summary>The Selenium grid.</summary>
    public HostPort Selenium => Of(nameof(options.Ports.Selenium), options.Ports.Selenium, Published("selenium-hub", 4444, 4444));

    /// <summary>The grid's event bus, on which nodes publish.</summary>
    public HostPort SeleniumPublish => Of(nameof(options.Ports.SeleniumPublish), options.Ports.SeleniumPublish, Published("selenium-hub", 4442, 4442));

    /// <summary>The grid's event bus, to which nodes subscribe.</summary>
    public HostPort SeleniumSubscribe => Of(nameof(options.Ports.SeleniumSubscribe), options.Ports.SeleniumSubscribe, Published("selenium-hub", 4443, 4443));

    /// <summary>Chrome's screen, by VNC.</summary>
    public HostPort Chrome => Of(nameof(options.Ports.Chrome), options.Ports.Chrome, Published("selenium-chrome", 5900, 5900));

    /// <summary>Firefox's screen, by VNC.</summary>
    public HostPort Firefox => Of(nameof(options.Ports.Firefox), options.Ports.Firefox, Published("selenium-firefox", 5900, 5901));

    /// <summary>Locust's page.</summary>
    public HostPort Locust => Of(nameof(options.Ports.Locust), options.Ports.Locust, Published("locust", 8089, 8089));

    /// <summary>Adminer.</summary>
    public HostPort Adminer => Of(nameof(options.Ports.Adminer), options.Ports.Adminer, Published("adminer", 8080, 8080));

    /// <summary>A port of a service that a fork's compose file adds.</summary>
    /// <param name="name">The setting's name below <c>Uvlhub:Ports</c>.</param>
    /// <param name="setting">Its value; <see langword="null"/> if it is not set.</param>
    /// <param name="published">The port in the compose file; <see langword="null"/> for any.</param>
    public HostPort Imported(string name, string? setting, int? published) =>
        string.IsNullOrWhiteSpace(setting) ? Of(name, null, published ?? 0)
        : int.TryParse(setting, CultureInfo.InvariantCulture, out var port) ? Of(name, port, 0)
        : throw new CheckoutException($"{UvlhubOptions.Section}:{nameof(options.Ports)}:{name} is '{setting}'; a port is a number from 1 to 65535, or 0 for any free one");

    private int Published(string service, int target, int tutorial) =>
        compose?.Service(service)?.Ports.FirstOrDefault(port => port.Target == target)?.Published ?? tutorial;

    private HostPort Of(string name, int? setting, int tutorial)
    {
        var full = $"{UvlhubOptions.Section}:{nameof(options.Ports)}:{name}";
        return (setting ?? (string.IsNullOrEmpty(options.Instance) ? tutorial : 0)) switch
        {
            0 => new HostPort(full, null),
            > 0 and <= 65535 and var port => new HostPort(full, port),
            var port => throw new CheckoutException($"{full} is {port}; a port is a number from 1 to 65535, or 0 for any free one"),
        };
    }
}
