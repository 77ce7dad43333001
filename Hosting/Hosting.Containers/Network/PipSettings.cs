using System.Text.RegularExpressions;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Where the user has pip look for packages: variables and files that pip itself would read on this machine. Of all its settings only those
/// that hold elsewhere too: the others name files.
/// </summary>
public sealed partial class PipSettings
{
    /// <summary>The name of the settings as a secret of a build, and of the variable that they reach the builder in.</summary>
    internal const string Secret = "UVLHUB_ASPIRE_PIP";

    private const string Index = "index-url";
    private static readonly string[] s_keys = [Index, "extra-index-url", "trusted-host"];
    private static readonly string[] s_sections = ["global", "install"];

    private readonly Dictionary<string, string> _values;

    private PipSettings(Dictionary<string, string> values, IReadOnlyList<string> outOfReach) =>
        (_values, OutOfReach) = (values, outOfReach);

    /// <summary>Those of this process.</summary>
    public static PipSettings Current { get; } = Read(
        Environment.GetEnvironmentVariable,
        [
            "/etc/pip.conf",
            Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".pip", "pip.conf"),
            Path.Combine(
                Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "pip",
                OperatingSystem.IsWindows() ? "pip.ini" : "pip.conf"),
        ]);

    /// <summary>What a container is given, by pip's own names; a value may have a password in it.</summary>
    public IReadOnlyDictionary<string, string> Variables =>
        _values.ToDictionary(setting => VariableOf(setting.Key), setting => setting.Value);

    /// <summary>The settings that nothing is given, and where they lead: on its loopback address a container finds itself.</summary>
    public IReadOnlyList<string> OutOfReach { get; }

    /// <summary>A configuration file of pip's with the settings; a value may have a password in it. Empty where there are none.</summary>
    internal string File => _values.Count == 0 ? ""
        : string.Join('\n', _values.Select(setting => $"{setting.Key} = {setting.Value}").Prepend("[global]"));

    /// <summary>Reads the settings.</summary>
    /// <param name="variable">The user's environment.</param>
    /// <param name="files">pip's configuration files, a later one winning; none need exist.</param>
    public static PipSettings Read(Func<string, string?> variable, IEnumerable<string> files)
    {
        Dictionary<string, string> found = [];
        foreach (var file in files.Append(variable("PIP_CONFIG_FILE") ?? "").Where(System.IO.File.Exists))
        {
            var read = Entries(System.IO.File.ReadAllLines(file)).Where(entry => s_keys.Contains(entry.Key)).ToList();
            foreach (var entry in s_sections.SelectMany(section => read.Where(entry => entry.Section == section)))
            {
                found[entry.Key] = entry.Value;
            }
        }

        foreach (var key in s_keys)
        {
            if (variable(VariableOf(key)) is { } value && !string.IsNullOrWhiteSpace(value))
            {
                found[key] = value.Trim();
            }
        }

        var outOfReach = found.Where(setting => Loopback.Of(setting.Value) is not null).ToList();
        return new PipSettings(
            found.Where(setting => setting.Value.Length > 0).Except(outOfReach).ToDictionary(),
            [.. outOfReach.Select(setting => $"pip's {setting.Key} ({Loopback.Of(setting.Value)})")]);
    }

    /// <summary>
    /// A Dockerfile whose steps each find <see cref="File"/> where pip looks first: what else the Dockerfile says wins, no line has another
    /// number, and nothing of it stays in the image.
    /// </summary>
    /// <param name="dockerfile">The text.</param>
    internal static string Mounted(string dockerfile)
    {
        var (lines, isContinued, end) = (dockerfile.Split('\n'), false, "");
        for (var at = 0; at < lines.Length; at++)
        {
            var line = lines[at].Trim();
            if (end.Length > 0)
            {
                end = line == end ? "" : end;
            }
            else if (!line.StartsWith('#'))
            {
                end = Heredoc().Matches(line).LastOrDefault()?.Groups[1].Value ?? "";
                if (!isContinued)
                {
                    lines[at] = Run().Replace(lines[at], $"$0 --mount=type=secret,id={Secret},target=/etc/pip.conf,mode=0444");
                }

                isContinued = line.EndsWith('\\') || (isContinued && line.Length == 0);
            }
        }

        return string.Join('\n', lines);
    }

    private static string VariableOf(string key) => $"PIP_{key.ToUpperInvariant().Replace('-', '_')}";

    // As Python reads it: a line that is indented goes on with the value before it, and pip takes spaces between addresses.
    private static List<(string Section, string Key, string Value)> Entries(IEnumerable<string> lines)
    {
        var (section, entries) = ("", new List<(string Section, string Key, string Value)>());
        foreach (var line in lines.Where(line => line.Trim() is { Length: > 0 } text && text[0] is not ('#' or ';')))
        {
            if (char.IsWhiteSpace(line[0]) && entries.Count > 0)
            {
                entries[^1] = entries[^1] with { Value = $"{entries[^1].Value} {line.Trim()}".Trim() };
            }
            else if (line.Trim() is ['[', .. var name, ']'])
            {
                section = name;
            }
            else if (line.Split(['=', ':'], 2) is [var key, var value])
            {
                entries.Add((section, key.Trim().ToLowerInvariant().Replace('_', '-'), value.Trim()));
            }
        }

        return entries;
    }

    [GeneratedRegex(@"^\s*RUN(?=\s)", RegexOptions.IgnoreCase)]
    private static partial Regex Run();

    [GeneratedRegex(@"(?<=^(?:RUN|COPY|ADD)\b.*[^<])<<-?[""']?([A-Za-z_]\w*)", RegexOptions.IgnoreCase)]
    private static partial Regex Heredoc();
}
