using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace UvlhubAspire.Hosting.Compose.Tests;

/// <summary>What a compose file declares, as lines that can be compared: by service, and under the empty name what is not of one.</summary>
internal static partial class ComposeFacts
{
    private static readonly HashSet<string> s_sizes = ["shm_size", "mem_limit", "memory", "mem_reservation"];

    /// <summary>Of a file as it is read here.</summary>
    /// <param name="file">The file.</param>
    /// <param name="variables">The variables of whoever starts compose.</param>
    public static Dictionary<string, SortedSet<string>> Of(ComposeFile file, Func<string, string?> variables)
    {
        var facts = new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal) { [""] = [$"project {file.Project}"] };
        // Compose drops what no service uses.
        var mounts = file.Services.SelectMany(service => service.Mounts).Select(mount => mount.Source).ToHashSet();
        var networks = file.Services.SelectMany(service => service.Networks).Select(network => network.Name).ToHashSet();
        facts[""].UnionWith(file.Volumes.Where(volume => mounts.Contains(volume.Name))
            .Select(volume =>
                $"volume {volume.Name} {volume.EngineName ?? $"{file.Project}_{volume.Name}"} {volume.IsExternal} {volume.Driver}"));
        facts[""].UnionWith(file.Networks.Where(network => networks.Contains(network.Name)).Select(network =>
            $"network {network.Name} {network.EngineName ?? $"{file.Project}_{network.Name}"} {network.IsExternal} {network.IsInternal} "
            + string.Join(',', network.Subnets)));
        foreach (var service in file.Services)
        {
            facts[service.Name] = [.. Of(service, variables)];
        }

        return facts;
    }

    /// <summary>Of what <c>docker compose config --format json</c> prints.</summary>
    public static Dictionary<string, SortedSet<string>> Of(JsonElement config)
    {
        var project = config.GetProperty("name").GetString();
        var facts = new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal) { [""] = [$"project {project}"] };
        facts[""].UnionWith(Entries(config, "volumes").Select(volume =>
            $"volume {volume.Name} {Text(volume.Value, "name")} {Switch(volume.Value, "external")} {Text(volume.Value, "driver")}"));
        facts[""].UnionWith(Entries(config, "networks").Where(network => network.Name != "default").Select(network =>
            $"network {network.Name} {Text(network.Value, "name")} {Switch(network.Value, "external")} {Switch(network.Value, "internal")} "
            + string.Join(',', Items(Property(network.Value, "ipam"), "config").Select(range => Text(range, "subnet")))));
        foreach (var service in Entries(config, "services"))
        {
            facts[service.Name] = [.. Of(config, service.Value)];
        }

        return facts;
    }

    private static IEnumerable<string> Of(ComposeService service, Func<string, string?> variables)
    {
        foreach (var (key, value) in ((string, string?)[])
            [
                ("image", service.Image), ("container_name", service.ContainerName), ("restart", service.Restart),
                ("pull_policy", service.PullPolicy), ("replicas", service.Replicas?.ToString(CultureInfo.InvariantCulture)),
                ("command", Words(service.Command)), ("entrypoint", Words(service.Entrypoint)),
            ])
        {
            if (value is not null)
            {
                yield return $"{key} {value}";
            }
        }

        if (service.Build is { } build)
        {
            yield return $"build {build.Context} {build.DockerfilePath} {build.Target}";
            foreach (var argument in build.Arguments.Where(argument => (argument.Value ?? variables(argument.Name)) is not null))
            {
                yield return $"build {argument.Name}={argument.Value ?? variables(argument.Name)}";
            }
        }

        var environment = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (name, value) in service.EnvironmentFiles.Where(env => File.Exists(env.Path)).SelectMany(env => env.Read()!)
            .Select(pair => (pair.Key, (string?)pair.Value))
            .Concat(service.Environment.Select(variable => (variable.Name, variable.Value ?? variables(variable.Name)))))
        {
            environment[name] = value;
        }

        foreach (var fact in environment.Select(variable => $"environment {variable.Key}={variable.Value ?? "(passed on)"}")
            .Concat(service.Ports.Select(port => Port(
                port.HostAddress, $"{port.Published}", $"{port.Target}", port.Protocol, port.AppProtocol)))
            .Concat(service.Expose.Select(port => $"expose {port}"))
            .Concat(service.Mounts.Select(mount => $"mount {mount.Kind} {mount.Source} {mount.Target} {mount.IsReadOnly}"))
            .Concat(service.Networks.DefaultIfEmpty(new ComposeConnection("default", [], null, service.At))
                .Select(network => $"network {network.Name} {string.Join(',', network.Aliases)} {network.Address}"))
            .Concat(service.DependsOn.Select(other => $"depends_on {other.Service} {other.Condition} {other.IsRequired}"))
            .Concat(service.Profiles.Select(profile => $"profile {profile}"))
            .Concat(service.Options.Select(option => Option(option.Key, option.Value))))
        {
            yield return fact;
        }

        if (service.HealthCheck is { } check)
        {
            yield return check.IsDisabled ? "healthcheck disabled" : Check(
                check.Test, $"{check.Retries}", check.Interval, check.Timeout, check.StartPeriod, check.StartInterval);
        }
    }

    private static IEnumerable<string> Of(JsonElement config, JsonElement service)
    {
        foreach (var key in service.EnumerateObject().Where(key => key.Value.ValueKind != JsonValueKind.Null))
        {
            var (name, value) = (key.Name, key.Value);
            IEnumerable<string> facts = name switch
            {
                "image" or "container_name" or "restart" or "pull_policy" => [$"{name} {Text(service, name)}"],
                "scale" => [$"replicas {value}"],
                "command" or "entrypoint" => [$"{name} {Words(Texts(value))}"],
                "build" =>
                [
                    $"build {Text(value, "context")} {Path.GetFullPath(Text(value, "dockerfile")!, Text(value, "context")!)} "
                        + Text(value, "target"),
                    .. Entries(value, "args").Where(argument => argument.Value.ValueKind != JsonValueKind.Null)
                        .Select(argument => $"build {argument.Name}={Scalar(argument.Value)}"),
                ],
                "environment" => value.EnumerateObject()
                    .Select(variable => $"environment {variable.Name}={Scalar(variable.Value) ?? "(passed on)"}"),
                "ports" => value.EnumerateArray().Select(port => Port(
                    Text(port, "host_ip"), Text(port, "published"), Text(port, "target"), Text(port, "protocol"),
                    Text(port, "app_protocol"))),
                "expose" => Texts(value)!.Select(port => $"expose {port}"),
                "volumes" => value.EnumerateArray().Select(Mount),
                "secrets" or "configs" => value.EnumerateArray().Select(file =>
                    $"mount Bind {Text(config.GetProperty(name).GetProperty(Text(file, "source")!), "file")} "
                    + $"{Text(file, "target") ?? $"/{Text(file, "source")}"} True"),
                "networks" => value.EnumerateObject().Select(network => $"network {network.Name} "
                    + $"{string.Join(',', Items(network.Value, "aliases").Select(Scalar))} {Text(network.Value, "ipv4_address")}"),
                "depends_on" => value.EnumerateObject().Select(other => $"depends_on {other.Name} " + (Text(other.Value, "condition") switch
                {
                    "service_started" => ComposeCondition.Started,
                    "service_healthy" => ComposeCondition.Healthy,
                    _ => ComposeCondition.Completed,
                }) + $" {Switch(other.Value, "required")}"),
                "profiles" => Texts(value)!.Select(profile => $"profile {profile}"),
                "healthcheck" =>
                [
                    Switch(value, "disable") || Texts(Property(value, "test")) is ["NONE"] ? "healthcheck disabled" : Check(
                        Texts(Property(value, "test")), Text(value, "retries"), Text(value, "interval"), Text(value, "timeout"),
                        Text(value, "start_period"), Text(value, "start_interval")),
                ],
                "deploy" => Deploy(service, value),
                "ulimits" => value.EnumerateObject().Select(limit => Option(name, limit.Value.ValueKind == JsonValueKind.Object
                    ? $"{limit.Name}={Text(limit.Value, "soft")}:{Text(limit.Value, "hard")}" : $"{limit.Name}={limit.Value}")),
                "devices" => value.EnumerateArray().Select(device =>
                    Option(name, $"{Text(device, "source")}:{Text(device, "target")}:{Text(device, "permissions")}")),
                "stop_grace_period" => [Option(name, $"{Seconds(value.GetString())}")],
                _ => value.ValueKind switch
                {
                    JsonValueKind.False => [],
                    JsonValueKind.True => [Option(name, "")],
                    JsonValueKind.Array => Texts(value)!.Select(item => Option(name, item)),
                    JsonValueKind.Object => value.EnumerateObject()
                        .Select(pair => Option(name, $"{pair.Name}={Scalar(pair.Value)}".TrimEnd('='))),
                    _ => [Option(name, Scalar(value)!)],
                },
            };
            foreach (var fact in facts)
            {
                yield return fact;
            }
        }
    }

    private static IEnumerable<string> Deploy(JsonElement service, JsonElement deploy)
    {
        if (Text(deploy, "replicas") is { } replicas && Text(service, "scale") is null)
        {
            yield return $"replicas {replicas}";
        }

        // A service's own 'restart' wins.
        if (Property(deploy, "restart_policy") is { ValueKind: JsonValueKind.Object } policy && Text(service, "restart") is null)
        {
            yield return Text(policy, "condition") is "on-failure"
                ? $"restart on-failure{(Text(policy, "max_attempts") is { } attempts ? $":{attempts}" : "")}"
                : "restart always";
        }

        foreach (var kind in Entries(deploy, "resources"))
        {
            foreach (var limit in kind.Value.EnumerateObject())
            {
                yield return Option($"deploy.resources.{kind.Name}.{limit.Name}", Scalar(limit.Value)!);
            }
        }
    }

    private static string Mount(JsonElement mount) => Text(mount, "type") is "tmpfs"
        ? Option("tmpfs", $"{Text(mount, "target")}{(Text(Property(mount, "tmpfs"), "size") is { } size ? $":size={size}" : "")}")
        : $"mount {(Text(mount, "type") is "bind" ? ComposeMountKind.Bind : Text(mount, "source") is null ? ComposeMountKind.Anonymous
            : ComposeMountKind.Volume)} {Text(mount, "source")} {Text(mount, "target")} {Switch(mount, "read_only")}";

    private static string Check(IReadOnlyList<string>? test, string? retries, params IEnumerable<string?> times) =>
        $"healthcheck {Words(test)} {retries} {string.Join(' ', times.Select(Seconds))}";

    private static string Port(string? address, string? published, string? target, string? protocol, string? application) =>
        $"port {address}:{published}:{target}/{protocol} {application}".TrimEnd();

    private static string Option(string key, string value)
    {
        var isSize = s_sizes.Contains(key.Split('.')[^1]) || value.Contains(":size=", StringComparison.Ordinal);
        return $"{key} {(isSize ? Size().Replace(value, Bytes) : value)}".TrimEnd();
    }

    private static string Bytes(Match size)
    {
        var unit = " kmg".IndexOf(size.Groups[2].Value.ToLowerInvariant(), StringComparison.Ordinal);
        return $"{long.Parse(size.Groups[1].Value, CultureInfo.InvariantCulture) << (10 * unit)}";
    }

    private static double? Seconds(string? duration) => duration is null ? null : Part().Matches(duration).Sum(part =>
        double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture)
        * part.Groups[2].Value switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 0.001, _ => 0.000001 });

    private static string? Words(IReadOnlyList<string>? words) => words is null ? null : JsonSerializer.Serialize(words);

    private static JsonElement Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    private static IEnumerable<JsonProperty> Entries(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.Object } entries ? entries.EnumerateObject() : [];

    private static IEnumerable<JsonElement> Items(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : [];

    private static List<string>? Texts(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray().Select(item => Scalar(item)!)] : null;

    private static string? Text(JsonElement element, string name) => Scalar(Property(element, name));

    private static bool Switch(JsonElement element, string name) => Property(element, name).ValueKind == JsonValueKind.True;

    // What is printed is a compose file again, in which a $ is written twice.
    private static string? Scalar(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString()!.Replace("$$", "$", StringComparison.Ordinal),
        _ => value.GetRawText(),
    };

    [GeneratedRegex(@"\b(\d+)([kmg]?)b?\b", RegexOptions.IgnoreCase)]
    private static partial Regex Size();

    [GeneratedRegex(@"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)")]
    private static partial Regex Part();
}
