using System.Globalization;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// The ports on the host: what a setting says, else the tutorial's; an instance of its own takes any free ones instead,
/// so that it starts beside whatever already runs.
/// </summary>
/// <param name="options">The settings.</param>
internal sealed class HostPorts(UvlhubOptions options)
{
    /// <summary>The Flask application.</summary>
    public HostPort Web => Of(nameof(options.Ports.Web), options.Ports.Web, 5000);

    /// <summary>MariaDB.</summary>
    public HostPort Database => Of(nameof(options.Ports.Database), options.Ports.Database, 3306);

    /// <summary>The Aspire dashboard.</summary>
    public HostPort Dashboard => Of(nameof(options.Ports.Dashboard), options.Ports.Dashboard, 15888);

    /// <summary>A port of a service that a fork's compose file adds.</summary>
    /// <param name="name">The setting's name below <c>Uvlhub:Ports</c>.</param>
    /// <param name="setting">Its value; <see langword="null"/> if it is not set.</param>
    /// <param name="published">The port in the compose file; <see langword="null"/> for any.</param>
    public HostPort Imported(string name, string? setting, int? published) =>
        string.IsNullOrWhiteSpace(setting) ? Of(name, null, published ?? 0)
        : int.TryParse(setting, CultureInfo.InvariantCulture, out var port) ? Of(name, port, 0)
        : throw new CheckoutException($"{UvlhubOptions.Section}:{nameof(options.Ports)}:{name} is '{setting}'; a port is a number from 1 to 65535, or 0 for any free one");

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
