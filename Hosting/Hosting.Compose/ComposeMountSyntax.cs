namespace UvlhubAspire.Hosting.Compose;

/// <summary>Reads compose's short form of a mount: <c>[source:]target[:options]</c>.</summary>
public static class ComposeMountSyntax
{
    /// <summary>The mount that one entry stands for.</summary>
    /// <param name="text">The entry.</param>
    /// <param name="folder">The folder that relative paths start from.</param>
    /// <param name="at">Where it stands.</param>
    /// <exception cref="FormatException">The entry is malformed.</exception>
    public static ComposeMount Parse(string text, string folder, SourceLine at)
    {
        var parts = SplitPath(text);
        var options = parts.Length == 3 ? parts[2].Split(',') : [];
        if (parts.Length > 3 || parts.Any(string.IsNullOrWhiteSpace))
        {
            throw new FormatException(
                $"'{text}' is no mount; write SOURCE:TARGET, SOURCE:TARGET:ro, or TARGET alone for a volume of its own");
        }

        if (parts.Length == 1)
        {
            return new ComposeMount(ComposeMountKind.Anonymous, null, Target(text, text), IsReadOnly: false, at);
        }

        var isPath = IsPath(parts[0]);
        return new ComposeMount(
            isPath ? ComposeMountKind.Bind : ComposeMountKind.Volume,
            isPath ? HostPath(parts[0], folder) : parts[0],
            Target(parts[1], text),
            options.Contains("ro"),
            at);
    }

    /// <summary>A path of the host, absolute and without a trailing separator; <c>~</c> is the user's home folder.</summary>
    public static string HostPath(string path, string folder)
    {
        var home = path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
            ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + path[1..]
            : path;
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(home, folder));
    }

    /// <summary>A path inside a container, without a trailing slash.</summary>
    /// <exception cref="FormatException">It is not absolute.</exception>
    public static string Target(string target, string whole) =>
        target.StartsWith('/') ? target.Length > 1 ? target.TrimEnd('/') : target
        : throw new FormatException($"'{whole}' mounts on '{target}', which is no absolute path inside the container");

    private static bool IsPath(string source) => source[0] is '.' or '/' or '~' || HasDrive(source);

    // A Windows path has a colon that separates nothing.
    private static string[] SplitPath(string text) =>
        HasDrive(text) && text[2..].Split(':') is var rest ? [$"{text[..2]}{rest[0]}", .. rest[1..]] : text.Split(':');

    private static bool HasDrive(string text) => text.Length > 2 && char.IsAsciiLetter(text[0]) && text[1] == ':' && text[2] is '\\' or '/';
}
