using System.Globalization;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>What a compose file and a swarm's stack, which is one of another age, spell in the same way.</summary>
internal static class ComposeSyntax
{
    /// <summary>The network of all services.</summary>
    public const string Network = "uvlhub_network";

    /// <summary>The setting with the version of the site's images.</summary>
    public const string VersionVariable = "VERSION";

    private const string GracePeriod = "stop_grace_period";

    private static readonly Dictionary<int, string> s_portVariables = new() { [80] = "HTTP_PORT", [443] = "HTTPS_PORT" };

    /// <summary>Both targets' part of a service.</summary>
    /// <param name="model">The whole.</param>
    /// <param name="service">The service.</param>
    /// <param name="startPeriod">How long it may be unhealthy at first.</param>
    public static YamlMap Service(PublishedModel model, PublishedService service, string startPeriod) => new YamlMap()
        .With("image", $"{service.Image.Name}:{(service.Image.IsSite ? $"${{{VersionVariable}:-{model.Version}}}" : service.Image.Tag)}")
        .With("entrypoint", service.Entrypoint is { } entrypoint ? new List<string> { entrypoint } : null)
        .With("command", service.Command.Select(Escape).ToList())
        .With("init", true)
        .With("networks", new List<string> { Network })
        .With("healthcheck", service.Probe is { } probe ? new YamlMap()
            .With("test", new List<string>(["CMD", .. probe.Command.Select(Escape)]))
            .With("interval", "5s")
            .With("timeout", "10s")
            .With("retries", 6)
            .With("start_period", probe.StartPeriod ?? startPeriod) : null)
        .With(GracePeriod, service.Options.All(option => option.Key != GracePeriod)
            ? service.Kind == PublishedKind.Database ? "60s" : "40s"
            : null);

    /// <summary>Adds options of the engine's, each under its key.</summary>
    public static YamlMap WithOptions(this YamlMap service, IEnumerable<PublishedOption> options)
    {
        foreach (var key in options.GroupBy(option => option.Key))
        {
            service.Add(key.Key, Option(key.Key, [.. key]));
        }

        return service;
    }

    private static object Option(string key, List<PublishedOption> options) => options[^1] switch
    {
        { Shape: OptionShape.Switch } => true,
        { Shape: OptionShape.Seconds } last => $"{last.Value}s",
        { Shape: OptionShape.Value } last => Escape(last.Value),
        { Shape: OptionShape.Pairs } when key is not "extra_hosts" => YamlMap.Of(
            options.DistinctBy(option => option.Value.Split('=')[0]), option => Escape(option.Value.Split('=', 2)[0]),
            option => PairValue(key, option.Value)),
        // The older form, which a stack knows as well.
        { Shape: OptionShape.Pairs } => options.ConvertAll(option => Escape(string.Join(':', option.Value.Split('=', 2)))),
        _ => options.ConvertAll(option => Escape(option.Value)),
    };

    private static object PairValue(string key, string pair)
    {
        var value = pair.Split('=', 2) is [_, var given] ? Escape(given) : "";
        return key != EngineOptionKeys.Limits ? value
            : value.Split(':') is [var soft, var hard] ? new YamlMap().With("soft", long.Parse(soft, CultureInfo.InvariantCulture))
                .With("hard", long.Parse(hard, CultureInfo.InvariantCulture))
            : long.Parse(value, CultureInfo.InvariantCulture);
    }

    /// <summary>The ports that a service opens to the network: inside, and on the host.</summary>
    public static List<object> Ports(PublishedService service, Func<int, string, object> spell) =>
    [
        .. service.Ports.Where(_ => service.Kind == PublishedKind.Gateway)
            .Select(port => spell(port, s_portVariables.TryGetValue(port, out var variable)
                ? $"${{{variable}:-{port}}}" : port.ToString(CultureInfo.InvariantCulture))),
    ];

    /// <summary>The settings of those ports.</summary>
    /// <param name="model">The whole.</param>
    /// <param name="where">What has the ports.</param>
    public static IEnumerable<(string Name, string Value, string Description)> PortSettings(PublishedModel model, string where)
    {
        yield return (s_portVariables[80], "80", $"the port of {where} on which the site answers");
        if (model.HasTls)
        {
            yield return (s_portVariables[443], "443", $"the port of {where} on which it answers with TLS");
        }
    }

    /// <summary>A value, in which a variable of <paramref name="file"/> has to have one.</summary>
    public static string Value(PublishedValue value, string file) =>
        value.Render(Escape, variable => $"${{{variable.Name}:?fill it in in {file}}}");

    // A $ is the beginning of a variable.
    private static string Escape(string text) => text.Replace("$", "$$", StringComparison.Ordinal);
}
