using UvlhubAspire.Hosting.Compose;

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
    public HostPort Web => Of(nameof(Web), 5000, Published("web", 5000));

    /// <summary>MariaDB.</summary>
    public HostPort Database => Of(SharedNames.DatabasePort, 3306, Published("db", 3306));

    /// <summary>The Aspire dashboard.</summary>
    public HostPort Dashboard => Of(nameof(Dashboard), 15888);

    /// <summary>The Python debugger.</summary>
    public HostPort Debugger => Of(nameof(Debugger), 5678);

    /// <summary>The names of all of them below <c>Uvlhub:Ports</c>.</summary>
    public IReadOnlyCollection<string> Names =>
    [
        nameof(Web), SharedNames.DatabasePort, nameof(Dashboard), nameof(Debugger),
        .. KnownService.All.SelectMany(service => service.Ports).Select(port => port.Setting),
        .. (compose?.Services ?? []).Where(service => !KnownServices.Names.Contains(service.Name))
            .SelectMany(service => service.Ports.Select(port => Name(service, port))),
    ];

    /// <summary>A port of a service that the model knows.</summary>
    /// <param name="service">The service.</param>
    /// <param name="port">One of its ports.</param>
    public HostPort Of(KnownService service, ServicePort port) => Of(port.Setting, port.Default, Published(service.Name, port.Target));

    /// <summary>A port of a service that a fork's compose file adds; any free one where the file names none.</summary>
    /// <param name="service">The service.</param>
    /// <param name="port">One of its ports.</param>
    public HostPort Imported(ComposeService service, ComposePort port) => Of(Name(service, port), tutorial: 0, port.Published);

    private static string Name(ComposeService service, ComposePort port) =>
        service.Ports.Count == 1 ? service.Name : $"{service.Name}:{port.Target}";

    private int? Published(string service, int target) =>
        compose?.Service(service)?.Ports.FirstOrDefault(port => port.Target == target)?.Published;

    private HostPort Of(string name, int tutorial, int? published = null)
    {
        var full = $"{UvlhubOptions.Section}:{nameof(options.Ports)}:{name}";
        if (options.Ports.TryGetValue(name, out var set) || !string.IsNullOrEmpty(options.Instance))
        {
            return new HostPort(full, set == 0 ? null : set);
        }

        // What the checkout declares wins: a port of ours that it gives to somebody else is any free one.
        return published is null && DeclaredFor(tutorial) is { } other
            ? new HostPort(full, null) { GivesWay = $"{tutorial} is {other.Service}'s by {other.Port.At}" }
            : new HostPort(full, published ?? (tutorial == 0 ? null : tutorial));
    }

    private (string Service, ComposePort Port)? DeclaredFor(int number) => (
        from service in compose?.Services ?? []
        from port in service.Ports
        where port.Published == number && port.Protocol != "udp"
        select ((string, ComposePort)?)(service.Name, port)).FirstOrDefault();
}
