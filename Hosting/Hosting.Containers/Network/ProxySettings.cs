using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// The proxies that the user's environment names. Builds and containers are given the same, in both spellings, because some programs read
/// only the one and some only the other. Where the engine's client has proxies in its own configuration, it gives those to builds and
/// containers by itself, and containers are only told whom to ask without.
/// </summary>
public sealed class ProxySettings
{
    private const string NoProxy = "NO_PROXY";

    // A builder knows these without being told, and keeps them out of an image's history.
    private static readonly string[] s_names = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY"];

    // What is asked without a proxy; null where containers have none.
    private readonly string? _exceptions;

    private ProxySettings(IEnumerable<KeyValuePair<string, string>> proxies, string? exceptions, IReadOnlyList<string> outOfReach)
    {
        _exceptions = exceptions;
        OutOfReach = outOfReach;
        ForBuilds = BothSpellings(proxies);
    }

    /// <summary>Those of this process.</summary>
    public static ProxySettings Current { get; } = Read(
        Environment.GetEnvironmentVariable,
        Path.Combine(
            Environment.GetEnvironmentVariable("DOCKER_CONFIG")
                ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".docker"),
            "config.json"));

    /// <summary>What a build is given; a value may have a password in it.</summary>
    public IReadOnlyDictionary<string, string> ForBuilds { get; }

    /// <summary>The variables that nothing is given, and where they lead: on its loopback address a container finds itself.</summary>
    public IReadOnlyList<string> OutOfReach { get; }

    /// <summary>Reads the settings.</summary>
    /// <param name="variable">The user's environment.</param>
    /// <param name="clientConfiguration">The configuration file of the engine's client; need not exist.</param>
    public static ProxySettings Read(Func<string, string?> variable, string clientConfiguration)
    {
        if (ExceptionsOfClient(clientConfiguration) is { } exceptions)
        {
            return new ProxySettings([], exceptions, []);
        }

        List<KeyValuePair<string, string>> named =
        [
            .. from name in s_names
               let value = Either(variable, name)
               where value is not null
               // Not every program takes an address without its scheme.
               let address = value.Contains("://", StringComparison.Ordinal) ? value : $"http://{value}"
               select new KeyValuePair<string, string>(name, address),
        ];
        List<KeyValuePair<string, string>> proxies = [.. named.Where(proxy => Loopback.Of(proxy.Value) is null)];
        var asked = proxies.Count == 0 ? null : Either(variable, NoProxy) ?? "";
        return new ProxySettings(
            asked is { Length: > 0 } ? proxies.Append(new(NoProxy, asked)) : proxies,
            asked,
            [.. named.Except(proxies).Select(proxy => $"{proxy.Key} ({Loopback.Of(proxy.Value)})")]);
    }

    /// <summary>
    /// What a container is given; a value may have a password in it. Other containers, and the host, it asks without a proxy.
    /// </summary>
    /// <param name="names">The names of the containers.</param>
    public IReadOnlyDictionary<string, string> ForContainers(IEnumerable<string> names) => _exceptions is null
        ? ForBuilds
        : BothSpellings(ForBuilds
            // Each engine's own name for the host ends in '.internal'.
            .Append(new(NoProxy, Joined(_exceptions, ["localhost", "127.0.0.1", "::1", ".internal", .. names]))));

    /// <summary>
    /// Has this process, and those that it starts, ask this machine itself without a proxy. The orchestrator and the dashboard listen on
    /// it, and .NET asks even the loopback address through a proxy unless the environment makes it an exception.
    /// </summary>
    public static void AskThisMachineDirectly()
    {
        if (s_names.All(name => Either(Environment.GetEnvironmentVariable, name) is null))
        {
            return;
        }

        var own = NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(one => one.GetIPProperties().UnicastAddresses)
            // The other kind as it stands in an address.
            .Select(one => one.Address.AddressFamily == AddressFamily.InterNetwork ? $"{one.Address}" : $"[{one.Address}]");
        var exceptions = Joined(Either(Environment.GetEnvironmentVariable, NoProxy) ?? "", ["localhost", ".localhost", "::1", .. own]);
        foreach (var (name, value) in BothSpellings([new(NoProxy, exceptions)]))
        {
            Environment.SetEnvironmentVariable(name, value);
        }
    }

    // Null where it names no proxy. It may do so for each engine's address; they seldom differ in what they except.
    private static string? ExceptionsOfClient(string file)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            return document.RootElement.TryGetProperty("proxies", out var proxies)
                && proxies.EnumerateObject().Select(engine => engine.Value).FirstOrDefault() is { ValueKind: JsonValueKind.Object } engine
                    ? engine.TryGetProperty("noProxy", out var exceptions) ? exceptions.GetString() : ""
                    : null;
        }
        catch (JsonException)
        {
            // The client itself says what is wrong with it.
            return null;
        }
    }

    private static string? Either(Func<string, string?> variable, string name) =>
        new[] { variable(name.ToLowerInvariant()), variable(name) }.FirstOrDefault(value => !string.IsNullOrWhiteSpace(value))?.Trim();

    private static Dictionary<string, string> BothSpellings(IEnumerable<KeyValuePair<string, string>> variables)
    {
        Dictionary<string, string> both = [];
        foreach (var (name, value) in variables)
        {
            both[name.ToUpperInvariant()] = both[name.ToLowerInvariant()] = value;
        }

        return both;
    }

    private static string Joined(string list, IEnumerable<string> more) => string.Join(
        ',', list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Concat(more).Distinct());
}

/// <summary>Addresses of the machine's loopback interface.</summary>
internal static class Loopback
{
    /// <summary>Host and port, without a password, of an address on this interface; <see langword="null"/> of any other.</summary>
    public static string? Of(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IsLoopback ? uri.Authority : null;
}
