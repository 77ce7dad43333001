using System.Globalization;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace UvlhubAspire.Hosting.Compose;

/// <summary>Reads one service of a file, without what it extends.</summary>
/// <param name="yaml">The file.</param>
/// <param name="folder">The folder that relative paths start from.</param>
/// <param name="files">The files of the top level's <c>secrets</c> and <c>configs</c>, by key and name.</param>
public sealed partial class ComposeServiceReader(
    ComposeYaml yaml, string folder, IReadOnlyDictionary<(string Key, string Name), string> files)
{
    private readonly List<ComposeMount> _mounts = [];
    private readonly List<ComposeEngineOption> _options = [];
    private readonly List<ComposeUnsupportedKey> _unsupported = [];
    private readonly Dictionary<string, SourceLine> _lines = new(StringComparer.Ordinal);
    private ComposeService _service = null!;

    /// <summary>Reads it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="key">Where it begins.</param>
    /// <param name="value">Its keys.</param>
    public ComposeService Read(string name, YamlNode key, YamlNode value)
    {
        _service = new ComposeService { Name = name, At = yaml.At(key) };
        foreach (var entry in yaml.Entries(value, name))
        {
            _lines[entry.Name] = yaml.At(entry.Key);
            ReadKey(entry);
        }

        return _service with { Mounts = _mounts, Options = _options, Unsupported = _unsupported, Lines = _lines };
    }

    private void ReadKey(ComposeEntry entry)
    {
        var (key, value) = (entry.Name, entry.Value);
        switch (key)
        {
            case "image": _service = _service with { Image = yaml.Text(value, key) }; break;
            case "build": _service = _service with { Build = ReadBuild(value) }; break;
            case "container_name": _service = _service with { ContainerName = yaml.Text(value, key) }; break;
            case "command": _service = _service with { Command = ReadWords(value, key) }; break;
            case "entrypoint": _service = _service with { Entrypoint = ReadWords(value, key) }; break;
            case "environment": _service = _service with { Environment = ReadVariables(value, key) }; break;
            case "env_file": _service = _service with { EnvironmentFiles = ReadEnvironmentFiles(value) }; break;
            case "ports": _service = _service with { Ports = [.. yaml.Items(value, key).SelectMany(ReadPort)] }; break;
            case "expose": _service = _service with { Expose = [.. yaml.Texts(value, key).Select(item => item.Text)] }; break;
            case "volumes": _mounts.AddRange(yaml.Items(value, key).Select(ReadMount).OfType<ComposeMount>()); break;
            case "secrets" or "configs":
                _mounts.AddRange(
                yaml.Items(value, key).Select(item => ReadFile(item, key)).OfType<ComposeMount>()); break;
            case "networks": _service = _service with { Networks = ReadConnections(value) }; break;
            case "depends_on": _service = _service with { DependsOn = ReadDependencies(value) }; break;
            case "healthcheck": _service = _service with { HealthCheck = ReadHealthCheck(value) }; break;
            case "restart": _service = _service with { OwnRestart = ReadRestart(value, key) }; break;
            case "deploy": ReadDeploy(value); break;
            case "scale": _service = _service with { Replicas = yaml.Number(value, key) }; break;
            case "profiles": _service = _service with { Profiles = [.. yaml.Texts(value, key).Select(item => item.Text)] }; break;
            case "pull_policy": _service = _service with { PullPolicy = yaml.Text(value, key) }; break;
            case "ulimits": ReadLimits(value); break;
            case "extends": break;
            case var _ when key.StartsWith("x-", StringComparison.Ordinal): break;
            case var _ when EngineOptionKeys.TryGet(key, out var option): ReadOption(key, option, value); break;
            default: NoteUnsupported(key, UnsupportedKeys.Reason(key), entry.Key); break;
        }
    }

    private ComposeBuild ReadBuild(YamlNode node)
    {
        if (node is YamlScalarNode)
        {
            return new ComposeBuild(Context(node), null, null, [], yaml.At(node));
        }

        var build = new ComposeBuild(null, null, null, [], yaml.At(node));
        foreach (var (name, key, value) in yaml.Entries(node, "build"))
        {
            switch (name)
            {
                case "context": build = build with { Context = Context(value) }; break;
                case "dockerfile": build = build with { Dockerfile = yaml.Text(value, name) }; break;
                case "target": build = build with { Target = yaml.Text(value, name) }; break;
                case "args": build = build with { Arguments = ReadVariables(value, "build.args") }; break;
                case "dockerfile_inline":
                    yaml.Note(
                    key, "build.dockerfile_inline", "a Dockerfile inside the compose file is not built; put it into a file of its own",
                    isFatal: true); break;
                case var _ when name.StartsWith("x-", StringComparison.Ordinal): break;
                // What only makes a build quicker or names it for a registry.
                case "cache_from" or "cache_to" or "no_cache" or "pull" or "tags" or "labels" or "provenance" or "sbom": break;
                default: NoteUnsupported($"build.{name}", "not passed to the builder", key); break;
            }
        }

        return build with { Context = build.Context ?? folder };
    }

    private string? Context(YamlNode node)
    {
        var context = yaml.Text(node, "build.context");
        if (context is null)
        {
            return null;
        }

        if (!context.Contains("://", StringComparison.Ordinal) && !context.StartsWith("git@", StringComparison.Ordinal))
        {
            return ComposeMountSyntax.HostPath(context, folder);
        }

        yaml.Note(node, "build.context", $"'{context}' is no folder of this machine; clone it and name the folder", isFatal: true);
        return null;
    }

    private IReadOnlyList<string>? ReadWords(YamlNode node, string subject)
    {
        if (ComposeYaml.IsNull(node))
        {
            return null;
        }

        if (node is YamlSequenceNode)
        {
            return [.. yaml.Texts(node, subject).Select(item => item.Text)];
        }

        return yaml.Text(node, subject) is { } text ? Attempt(node, subject, () => ShellWords.Split(text)) : null;
    }

    private IReadOnlyList<ComposeVariable> ReadVariables(YamlNode node, string subject) =>
        [.. yaml.Pairs(node, subject, '=').Select(pair => new ComposeVariable(pair.Name, pair.Value, yaml.At(pair.Node)))];

    private IReadOnlyList<ComposeEnvironmentFile> ReadEnvironmentFiles(YamlNode node)
    {
        var files = new List<ComposeEnvironmentFile>();
        foreach (var item in yaml.Items(node, "env_file"))
        {
            var (path, isRequired) = (item is YamlScalarNode ? yaml.Text(item, "env_file") : null, true);
            if (item is YamlMappingNode)
            {
                foreach (var (name, key, value) in yaml.Entries(item, "env_file"))
                {
                    switch (name)
                    {
                        case "path": path = yaml.Text(value, "env_file"); break;
                        case "required": isRequired = yaml.Switch(value, "env_file"); break;
                        default: NoteUnsupported($"env_file.{name}", "the file is read as compose reads an ordinary one", key); break;
                    }
                }
            }

            if (path is not null)
            {
                files.Add(new ComposeEnvironmentFile(ComposeMountSyntax.HostPath(path, folder), isRequired, yaml.At(item)));
            }
        }

        return files;
    }

    private IEnumerable<ComposePort> ReadPort(YamlNode node)
    {
        if (node is not YamlMappingNode)
        {
            return yaml.Text(node, "ports") is { } text
                ? Attempt(node, "ports", () => ComposePortSyntax.Parse(text, yaml.At(node))) ?? []
                : [];
        }

        var fields = Fields(node, "ports");
        return fields.TryGetValue("target", out var target)
            ? Attempt(node, "ports", () => ComposePortSyntax.Combine(
                target, fields.GetValueOrDefault("host_ip"), fields.GetValueOrDefault("published"), target,
                fields.GetValueOrDefault("protocol") ?? "tcp", fields.GetValueOrDefault("app_protocol"), yaml.At(node))) ?? []
            : Missing<IEnumerable<ComposePort>>(node, "ports", "target") ?? [];
    }

    private ComposeMount? ReadMount(YamlNode node)
    {
        if (node is not YamlMappingNode)
        {
            return yaml.Text(node, "volumes") is { } text
                ? Attempt(node, "volumes", () => ComposeMountSyntax.Parse(text, folder, yaml.At(node)))
                : null;
        }

        string? kind = null, source = null, target = null;
        var isReadOnly = false;
        List<string> temporaryOptions = [];
        foreach (var (name, key, value) in yaml.Entries(node, "volumes"))
        {
            switch (name)
            {
                case "type": kind = yaml.Text(value, name); break;
                case "source" or "src": source = yaml.Text(value, name); break;
                case "target" or "dst" or "destination": target = yaml.Text(value, name); break;
                case "read_only" or "ro": isReadOnly = yaml.Switch(value, name); break;
                case "tmpfs":
                    temporaryOptions.AddRange(
                    Fields(value, "volumes.tmpfs").Select(field => $"{field.Key}={field.Value}")); break;
                case "volume" when yaml.Entries(value, "volumes.volume").FirstOrDefault(option => option.Name == "subpath") is { } subpath:
                    NoteUnsupported("volumes.volume.subpath", "the whole volume is mounted", subpath.Key);
                    break;
                // How the mount is made does not change what is mounted.
                case "bind" or "volume" or "consistency": break;
                default: NoteUnsupported($"volumes.{name}", "not taken over", key); break;
            }
        }

        if (target is null)
        {
            return Missing<ComposeMount>(node, "volumes", "target");
        }

        switch (kind)
        {
            case "tmpfs":
                _options.Add(
                    new ComposeEngineOption(
                        "tmpfs", "--tmpfs", temporaryOptions.Count == 0 ? target : $"{target}:{string.Join(',', temporaryOptions)}",
                        IsOneOfMany: true, yaml.At(node)));
                return null;
            case "bind" when source is null:
                return Missing<ComposeMount>(node, "volumes", "source");
            case "bind" or "volume" or null:
                return Attempt(node, "volumes", () => new ComposeMount(
                    kind == "bind" ? ComposeMountKind.Bind : source is null ? ComposeMountKind.Anonymous : ComposeMountKind.Volume,
                    kind == "bind" ? ComposeMountSyntax.HostPath(source!, folder) : source,
                    ComposeMountSyntax.Target(target, target),
                    isReadOnly,
                    yaml.At(node)));
            default:
                yaml.Note(node, "volumes", $"a mount of type '{kind}' is not taken over; {target} is an ordinary folder of the container");
                return null;
        }
    }

    // Compose itself mounts the files of secrets and configs: outside a Swarm they are nothing more.
    private ComposeMount? ReadFile(YamlNode node, string key)
    {
        var fields = node is YamlScalarNode
            ? new Dictionary<string, string> { ["source"] = yaml.Text(node, key) ?? "" }
            : Fields(node, key);
        if (!fields.TryGetValue("source", out var source))
        {
            return Missing<ComposeMount>(node, key, "source");
        }

        if (!files.TryGetValue((key, source), out var path))
        {
            yaml.Note(node, key, $"'{source}' has no file under the top level's {key}, and only files are mounted", isFatal: true);
            return null;
        }

        var target = fields.GetValueOrDefault("target") ?? source;
        return new ComposeMount(
            ComposeMountKind.Bind,
            path,
            target.StartsWith('/') ? target : key == "secrets" ? $"/run/secrets/{target}" : $"/{target}",
            IsReadOnly: true,
            yaml.At(node));
    }

    private IReadOnlyList<ComposeConnection> ReadConnections(YamlNode node)
    {
        if (node is not YamlMappingNode)
        {
            return [.. yaml.Texts(node, "networks").Select(item => new ComposeConnection(item.Text, [], null, yaml.At(item.Node)))];
        }

        var connections = new List<ComposeConnection>();
        foreach (var (name, key, value) in yaml.Entries(node, "networks"))
        {
            var connection = new ComposeConnection(name, [], null, yaml.At(key));
            foreach (var option in yaml.Entries(value, $"networks.{name}"))
            {
                switch (option.Name)
                {
                    case "aliases": connection = connection with { Aliases = [.. yaml.Texts(option.Value, "aliases").Select(item => item.Text)] }; break;
                    case "ipv4_address" or "ipv6_address": connection = connection with { Address = yaml.Text(option.Value, option.Name) }; break;
                    case "priority" or "gw_priority" or "interface_name": break;
                    default: NoteUnsupported($"networks.{name}.{option.Name}", "not taken over", option.Key); break;
                }
            }

            connections.Add(connection);
        }

        return connections;
    }

    private IReadOnlyList<ComposeDependency> ReadDependencies(YamlNode node)
    {
        if (node is not YamlMappingNode)
        {
            return [.. yaml.Texts(node, "depends_on").Select(item => new ComposeDependency(item.Text, ComposeCondition.Started, IsRequired: true, yaml.At(item.Node)))];
        }

        var dependencies = new List<ComposeDependency>();
        foreach (var (name, key, value) in yaml.Entries(node, "depends_on"))
        {
            var fields = Fields(value, "depends_on");
            var condition = fields.GetValueOrDefault("condition") ?? "service_started";
            ComposeCondition? known = condition switch
            {
                "service_started" => ComposeCondition.Started,
                "service_healthy" => ComposeCondition.Healthy,
                "service_completed_successfully" => ComposeCondition.Completed,
                _ => null,
            };
            if (known is null)
            {
                yaml.Note(value, "depends_on", $"'{condition}' is no condition that is known; {name} only has to be started");
            }

            dependencies.Add(new ComposeDependency(
                name, known ?? ComposeCondition.Started, fields.GetValueOrDefault("required") is not "false", yaml.At(key)));
        }

        return dependencies;
    }

    private ComposeHealthCheck ReadHealthCheck(YamlNode node)
    {
        var check = new ComposeHealthCheck(null, false, null, null, null, null, null, yaml.At(node));
        foreach (var (name, key, value) in yaml.Entries(node, "healthcheck"))
        {
            check = name switch
            {
                "test" => ReadTest(check, value),
                "disable" => check with { IsSwitchedOff = yaml.Switch(value, name) },
                "interval" => check with { Interval = Duration(value, name) },
                "timeout" => check with { Timeout = Duration(value, name) },
                "retries" => check with { Retries = yaml.Number(value, name) },
                "start_period" => check with { StartPeriod = Duration(value, name) },
                "start_interval" => check with { StartInterval = Duration(value, name) },
                _ => Unknown(check, name, key),
            };
        }

        return check;

        ComposeHealthCheck Unknown(ComposeHealthCheck current, string name, YamlNode key)
        {
            NoteUnsupported($"healthcheck.{name}", "not taken over", key);
            return current;
        }
    }

    private ComposeHealthCheck ReadTest(ComposeHealthCheck check, YamlNode node)
    {
        if (node is not YamlSequenceNode)
        {
            return yaml.Text(node, "healthcheck.test") is { } text ? check with { Test = ["CMD-SHELL", text] } : check;
        }

        var words = yaml.Texts(node, "healthcheck.test").Select(item => item.Text).ToList();
        switch (words)
        {
            case ["NONE"] or ["CMD", _, ..] or ["CMD-SHELL", _]:
                return check with { Test = words };
            default:
                yaml.Note(
                    node, "healthcheck.test", "a list begins with CMD and the command's words, or is CMD-SHELL and one text, or NONE");
                return check;
        }
    }

    private string? ReadRestart(YamlNode node, string subject)
    {
        // YAML's own word for no.
        var policy = yaml.Text(node, subject) is "false" ? "no" : yaml.Text(node, subject);
        if (policy is null or "no" or "always" or "unless-stopped" || RestartOnFailure().IsMatch(policy))
        {
            return policy;
        }

        yaml.Note(node, subject, $"'{policy}' is no restart policy; it can be no, always, unless-stopped, on-failure or on-failure:N");
        return null;
    }

    private void ReadDeploy(YamlNode node)
    {
        foreach (var (name, key, value) in yaml.Entries(node, "deploy"))
        {
            switch (name)
            {
                case "replicas":
                    _service = _service with { Replicas = yaml.Number(value, "deploy.replicas") };
                    break;
                case "restart_policy":
                    var policy = Fields(value, "deploy.restart_policy");
                    _service = _service with
                    {
                        DeployRestart = policy.GetValueOrDefault("condition") switch
                        {
                            "none" => "no",
                            "on-failure" => policy.TryGetValue("max_attempts", out var attempts) ? $"on-failure:{attempts}" : "on-failure",
                            _ => "always",
                        },
                    };
                    break;
                case "resources":
                    foreach (var (kind, kindKey, limits) in yaml.Entries(value, "deploy.resources"))
                    {
                        ReadResources(kind, kindKey, limits);
                    }

                    break;
                case var _ when name.StartsWith("x-", StringComparison.Ordinal): break;
                default:
                    NoteUnsupported($"deploy.{name}", "it has a meaning in a Swarm only", key);
                    break;
            }
        }
    }

    private void ReadResources(string kind, YamlNode kindKey, YamlNode limits)
    {
        foreach (var (name, key, value) in yaml.Entries(limits, $"deploy.resources.{kind}"))
        {
            var argument = (kind, name) switch
            {
                ("limits", "cpus") => "--cpus",
                ("limits", "memory") => "--memory",
                ("limits", "pids") => "--pids-limit",
                ("reservations", "memory") => "--memory-reservation",
                _ => null,
            };
            if (argument is null)
            {
                NoteUnsupported($"deploy.resources.{kind}.{name}", "not taken over", key);
            }
            else if (yaml.Text(value, $"deploy.resources.{kind}") is { } limit)
            {
                _options.Add(
                    new ComposeEngineOption($"deploy.resources.{kind}.{name}", argument, limit, IsOneOfMany: false, yaml.At(kindKey)));
            }
        }
    }

    private void ReadLimits(YamlNode node)
    {
        foreach (var (name, key, value) in yaml.Entries(node, "ulimits"))
        {
            var limits = value is YamlMappingNode ? Fields(value, "ulimits") : [];
            var limit = value is not YamlMappingNode ? yaml.Text(value, "ulimits")
                : limits.TryGetValue("soft", out var soft) && limits.TryGetValue("hard", out var hard) ? $"{soft}:{hard}"
                : Missing<string>(value, "ulimits", "soft and hard");
            if (limit is not null)
            {
                _options.Add(new ComposeEngineOption(EngineOptionKeys.Limits, EngineOptionKeys.LimitArgument, $"{name}={limit}", IsOneOfMany: true, yaml.At(key)));
            }
        }
    }

    private void ReadOption(string key, (string Argument, OptionShape Shape) option, YamlNode node)
    {
        switch (option.Shape)
        {
            case OptionShape.Switch:
                if (yaml.Switch(node, key))
                {
                    Add("", node, isOneOfMany: false);
                }

                break;
            case OptionShape.Value when yaml.Text(node, key) is { } value:
                Add(value, node, isOneOfMany: false);
                break;
            case OptionShape.Seconds when Duration(node, key) is { } duration:
                Add(Math.Ceiling(Seconds(duration)).ToString(CultureInfo.InvariantCulture), node, isOneOfMany: false);
                break;
            case OptionShape.List:
                foreach (var (value, item) in yaml.Texts(node, key))
                {
                    Add(value, item, isOneOfMany: true);
                }

                break;
            case OptionShape.Pairs when key == "extra_hosts":
                // 'host:address' and 'host=address' are both written; an IPv6 address has colons of its own.
                foreach (var (name, value, item) in yaml.Pairs(node, key, ':', '='))
                {
                    Add($"{name}={value?.Trim('[', ']')}", item, isOneOfMany: true);
                }

                break;
            case OptionShape.Pairs:
                foreach (var (name, value, item) in yaml.Pairs(node, key, '='))
                {
                    Add(value is null ? name : $"{name}={value}", item, isOneOfMany: true);
                }

                break;
        }

        void Add(string value, YamlNode at, bool isOneOfMany) =>
            _options.Add(new ComposeEngineOption(key, option.Argument, value, isOneOfMany, yaml.At(at)));
    }

    private Dictionary<string, string> Fields(YamlNode node, string subject)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in yaml.Entries(node, subject))
        {
            if (yaml.Text(entry.Value, $"{subject}.{entry.Name}") is { } text)
            {
                fields[entry.Name] = text;
            }
        }

        return fields;
    }

    private string? Duration(YamlNode node, string subject)
    {
        var text = yaml.Text(node, subject);
        if (text is null || DurationPattern().IsMatch(text))
        {
            return text;
        }

        yaml.Note(node, subject, $"'{text}' is no duration; write 30s, 1m30s, 500ms");
        return null;
    }

    private static double Seconds(string duration) => DurationPart().Matches(duration).Sum(part =>
        double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture) * part.Groups[2].Value switch
        {
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            "ms" => 0.001,
            _ => 0.000001,
        });

    private T? Attempt<T>(YamlNode node, string subject, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (FormatException exception)
        {
            yaml.Note(node, subject, exception.Message);
            return null;
        }
    }

    private T? Missing<T>(YamlNode node, string subject, string field)
        where T : class
    {
        yaml.Note(node, subject, $"an entry has no {field} and is passed over");
        return null;
    }

    private void NoteUnsupported(string key, string? reason, YamlNode node)
    {
        if (reason is not null)
        {
            _unsupported.Add(new ComposeUnsupportedKey(key, reason, yaml.At(node)));
        }
    }

    [GeneratedRegex(@"^on-failure(:\d+)?$")]
    private static partial Regex RestartOnFailure();

    [GeneratedRegex(@"^(\d+(\.\d+)?(h|ms|m|s|us|ns))+$")]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)")]
    private static partial Regex DurationPart();
}
