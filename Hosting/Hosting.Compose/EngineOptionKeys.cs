namespace UvlhubAspire.Hosting.Compose;

/// <summary>How a key's values are written.</summary>
public enum OptionShape
{
    /// <summary>One value.</summary>
    Value,

    /// <summary>On or off; the option has no value.</summary>
    Switch,

    /// <summary>A list; the option is repeated.</summary>
    List,

    /// <summary>A mapping, or a list of <c>name=value</c>; the option is repeated.</summary>
    Pairs,

    /// <summary>A duration, for an option that wants seconds.</summary>
    Seconds,
}

/// <summary>
/// The keys of a service that say the same as one option of <c>docker create</c>. They need no further understanding:
/// their values are passed on.
/// </summary>
public static class EngineOptionKeys
{
    private static readonly Dictionary<string, (string Argument, OptionShape Shape)> s_keys = new(StringComparer.Ordinal)
    {
        ["cap_add"] = ("--cap-add", OptionShape.List),
        ["cap_drop"] = ("--cap-drop", OptionShape.List),
        ["cgroup"] = ("--cgroupns", OptionShape.Value),
        ["cgroup_parent"] = ("--cgroup-parent", OptionShape.Value),
        ["cpu_period"] = ("--cpu-period", OptionShape.Value),
        ["cpu_quota"] = ("--cpu-quota", OptionShape.Value),
        ["cpu_shares"] = ("--cpu-shares", OptionShape.Value),
        ["cpus"] = ("--cpus", OptionShape.Value),
        ["cpuset"] = ("--cpuset-cpus", OptionShape.Value),
        ["device_cgroup_rules"] = ("--device-cgroup-rule", OptionShape.List),
        ["devices"] = ("--device", OptionShape.List),
        ["dns"] = ("--dns", OptionShape.List),
        ["dns_opt"] = ("--dns-option", OptionShape.List),
        ["dns_search"] = ("--dns-search", OptionShape.List),
        ["domainname"] = ("--domainname", OptionShape.Value),
        ["extra_hosts"] = ("--add-host", OptionShape.Pairs),
        ["group_add"] = ("--group-add", OptionShape.List),
        ["hostname"] = ("--hostname", OptionShape.Value),
        ["init"] = ("--init", OptionShape.Switch),
        ["ipc"] = ("--ipc", OptionShape.Value),
        ["labels"] = ("--label", OptionShape.Pairs),
        ["mac_address"] = ("--mac-address", OptionShape.Value),
        ["mem_limit"] = ("--memory", OptionShape.Value),
        ["mem_reservation"] = ("--memory-reservation", OptionShape.Value),
        ["mem_swappiness"] = ("--memory-swappiness", OptionShape.Value),
        ["memswap_limit"] = ("--memory-swap", OptionShape.Value),
        ["oom_kill_disable"] = ("--oom-kill-disable", OptionShape.Switch),
        ["oom_score_adj"] = ("--oom-score-adj", OptionShape.Value),
        ["pid"] = ("--pid", OptionShape.Value),
        ["pids_limit"] = ("--pids-limit", OptionShape.Value),
        ["platform"] = ("--platform", OptionShape.Value),
        ["privileged"] = ("--privileged", OptionShape.Switch),
        ["read_only"] = ("--read-only", OptionShape.Switch),
        ["runtime"] = ("--runtime", OptionShape.Value),
        ["security_opt"] = ("--security-opt", OptionShape.List),
        ["shm_size"] = ("--shm-size", OptionShape.Value),
        ["stdin_open"] = ("--interactive", OptionShape.Switch),
        ["stop_grace_period"] = ("--stop-timeout", OptionShape.Seconds),
        ["stop_signal"] = ("--stop-signal", OptionShape.Value),
        ["storage_opt"] = ("--storage-opt", OptionShape.Pairs),
        ["sysctls"] = ("--sysctl", OptionShape.Pairs),
        ["tmpfs"] = ("--tmpfs", OptionShape.List),
        ["tty"] = ("--tty", OptionShape.Switch),
        ["user"] = ("--user", OptionShape.Value),
        ["userns_mode"] = ("--userns", OptionShape.Value),
        ["uts"] = ("--uts", OptionShape.Value),
        ["working_dir"] = ("--workdir", OptionShape.Value),
    };

    private static readonly Dictionary<string, string> s_keysOfArguments =
        s_keys.ToDictionary(key => key.Value.Argument, key => key.Key, StringComparer.Ordinal);

    /// <summary>The key whose value is a limit for each of several names: <c>nofile=1024:2048</c>.</summary>
    public const string Limits = "ulimits";

    /// <summary>Its option.</summary>
    public const string LimitArgument = "--ulimit";

    /// <summary>Reads options back into the keys that say the same.</summary>
    /// <param name="words">The options and their values, as <c>docker create</c> takes them.</param>
    /// <returns>Each with its key, or with the option itself where no key says the same, how that is written, and the value.</returns>
    public static IEnumerable<(string Key, OptionShape? Shape, string Value)> Read(IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        for (var i = 0; i < words.Count; i++)
        {
            var parts = words[i].Split('=', 2);
            var key = parts[0] == LimitArgument ? Limits : s_keysOfArguments.GetValueOrDefault(parts[0]);
            OptionShape? shape = key is null ? null : key == Limits ? OptionShape.Pairs : s_keys[key].Shape;
            var value = parts.Length == 2 ? parts[1]
                : shape != OptionShape.Switch && i + 1 < words.Count && !words[i + 1].StartsWith("--", StringComparison.Ordinal) ? words[++i]
                : "";
            yield return (key ?? parts[0], shape, value);
        }
    }

    /// <summary>The option that a key stands for.</summary>
    public static bool TryGet(string key, out (string Argument, OptionShape Shape) option) => s_keys.TryGetValue(key, out option);
}
