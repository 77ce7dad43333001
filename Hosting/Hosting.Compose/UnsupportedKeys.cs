namespace UvlhubAspire.Hosting.Compose;

/// <summary>Keys of a service that compose knows and that nothing in the model stands for, with the reason.</summary>
public static class UnsupportedKeys
{
    private static readonly Dictionary<string, string> s_reasons = new(StringComparer.Ordinal)
    {
        ["blkio_config"] = "limits of block devices are not taken over",
        ["credential_spec"] = "only Windows containers have one",
        ["external_links"] = "containers outside the model cannot be linked; publish their port and use host.docker.internal",
        ["gpus"] = "graphics cards are not taken over",
        ["isolation"] = "only Windows containers have one",
        ["label_file"] = "labels from a file are not read; write them under labels",
        ["links"] = "not needed: every container reaches every other by its service's name. An alias behind ':' belongs under networks, "
            + "aliases",
        ["logging"] = "the log goes to the dashboard; the driver stays the engine's own",
        ["models"] = "language models are not run",
        ["network_mode"] = "every container is on the one network of the model",
        ["post_start"] = "commands after the start are not run",
        ["pre_stop"] = "commands before the end are not run",
        ["provider"] = "compose's own plug-ins are not run",
        ["use_api_socket"] = "no container is given the engine's socket",
        ["volumes_from"] = "mounts of another container are not taken over; name them under volumes",
    };

    // These change nothing for a container that the model runs.
    private static readonly HashSet<string> s_withoutEffect = ["annotations", "attach", "develop", "pull_refresh_after", "scale_down"];

    /// <summary>Why a key is not taken over; <see langword="null"/> if that changes nothing.</summary>
    public static string? Reason(string key) => s_withoutEffect.Contains(key) ? null
        : s_reasons.TryGetValue(key, out var reason) ? reason
        : "no key of a service that is known; is it misspelt?";
}
