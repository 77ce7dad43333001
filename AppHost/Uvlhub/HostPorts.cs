using System.Globalization;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// The ports on the host: what a setting says, else what the checkout's compose file publishes, else the tutorial's; an
/// instance of its own takes any free ones instead, so that it starts beside whatever already runs.
/// </summary>
/// <param name="options">The settings.</param>
/// <param name="compose">The checkout's development compose file; <see langword="null"/> if it has none.</param>
/// <param name="configuration">Where services' ports are set, which are as many as there are services.</param>
internal sealed class HostPorts(UvlhubOptions options, ComposeFile? compose = null, IConfiguration? configuration = null)
{
    /// <summary>The Flask application.</summary>
    public HostPort Web => Of(nameof(options.Ports.Web), options.Ports.Web, Published("web", 5000, 5000));

    /// <summary>MariaDB.</summary>
    public HostPort Database => Of(nameof(options.Ports.Database), options.Ports.Database, Published("db", 3306, 3306));

    /// <summary>The Aspire dashboard.</summary>
    public HostPort Dashboard => Of(nameof(options.Ports.Dashboard), options.Ports.Dashboard, 15888);

    /// <summary>The Python debugger.</summary>
    public HostPort Debugger => Of(nameof(options.Ports.Debugger), options.Ports.Debugger, 5678);

    /// <summary>nginx with TLS.</summary>
    public HostPort Https => Of(nameof(options.Ports.Https), options.Ports.Https, Published("nginx", 443, 443));

    /// <summary>Where a deployment is asked for.</summary>
    public HostPort Webhook => Of(nameof(options.Ports.Webhook), options.Ports.Webhook, 9000);

    /// <summary>A port of a service that the model knows.</summary>
    /// <param name="service">The service.</param>
    /// <param name="port">One of its ports.</param>
    public HostPort Of(KnownService service, ServicePort port) => Named(port.Setting, Published(service.Name, port.Target, port.Default));

    /// <summary>A port of a service that a fork's compose file adds.</summary>
    /// <param name="name">The setting's name below <c>Uvlhub:Ports</c>.</param>
    /// <param name="published">The port in the compose file; <see langword="null"/> for any.</param>
    public HostPort Imported(string name, int? published) => Named(name, published ?? 0);

    private HostPort Named(string name, int otherwise)
    {
        var setting = configuration?[$"{UvlhubOptions.Section}:{nameof(options.Ports)}:{name}"];
        return string.IsNullOrWhiteSpace(setting) ? Of(name, null, otherwise)
            : int.TryParse(setting, CultureInfo.InvariantCulture, out var port) ? Of(name, port, otherwise)
            : throw new UserErrorException(
                $"{UvlhubOptions.Section}:{nameof(options.Ports)}:{name} is '{setting}'; a port is a number from 1 to 65535, or 0 for any "
                + "free one");
    }

    private int Published(string service, int target, int tutorial) =>
        compose?.Service(service)?.Ports.FirstOrDefault(port => port.Target == target)?.Published ?? tutorial;

    private HostPort Of(string name, int? setting, int tutorial)
    {
        var full = $"{UvlhubOptions.Section}:{nameof(options.Ports)}:{name}";
        return (setting ?? (string.IsNullOrEmpty(options.Instance) ? tutorial : 0)) switch
        {
            0 => new HostPort(full, null),
            > 0 and <= 65535 and var port => new HostPort(full, port),
            var port => throw new UserErrorException($"{full} is {port}; a port is a number from 1 to 65535, or 0 for any free one"),
        };
    }
}
