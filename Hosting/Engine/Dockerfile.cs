namespace UvlhubAspire.Engine;

/// <summary>The instructions of a Dockerfile that the model needs: where the code lives and what is copied in.</summary>
public sealed record Dockerfile
{
    /// <summary>The file's path.</summary>
    public required string Path { get; init; }

    /// <summary>The last <c>WORKDIR</c>: the folder of the code inside the container.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>The last <c>ENTRYPOINT</c>'s words; empty if it has none.</summary>
    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    /// <summary>The last <c>CMD</c>'s words; empty if it has none.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary><c>ENV</c> entries, later ones winning.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The images named by <c>FROM</c>, in order; stages of the file itself and <c>scratch</c> are none.</summary>
    public required IReadOnlyList<string> BaseImages { get; init; }

    /// <summary>Reads a file.</summary>
    public static Dockerfile Read(string path)
    {
        string? workingDirectory = null;
        string[] entrypoint = [];
        string[] command = [];
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        var baseImages = new List<string>();
        var stages = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "scratch" };
        var defaults = new Dictionary<string, string>(StringComparer.Ordinal);

        foreach (var (instruction, arguments) in Instructions(System.IO.File.ReadAllLines(path)))
        {
            switch (instruction)
            {
                case "ENTRYPOINT":
                    (entrypoint, command) = (Words(arguments), []);
                    break;
                case "CMD":
                    command = Words(arguments);
                    break;
                case "FROM":
                    (entrypoint, command) = ([], []);
                    List<string> words = [.. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => !word.StartsWith("--", StringComparison.Ordinal))];
                    var image = words.Count == 0 ? "" : ExpandArguments(words[0], defaults);
                    if (image.Length > 0 && !stages.Contains(image))
                    {
                        baseImages.Add(image);
                    }

                    if (words is [_, var joint, var stage, ..] && joint.Equals("AS", StringComparison.OrdinalIgnoreCase))
                    {
                        stages.Add(stage);
                    }

                    break;
                case "ARG":
                    foreach (var (key, value) in EnvironmentEntries(arguments))
                    {
                        defaults.TryAdd(key, value);
                    }

                    break;
                case "WORKDIR":
                    var folder = arguments.Trim().Trim('"');
                    workingDirectory = folder.StartsWith('/') || workingDirectory is null
                        ? folder
                        : $"{workingDirectory.TrimEnd('/')}/{folder}";
                    break;
                case "ENV":
                    foreach (var (key, value) in EnvironmentEntries(arguments))
                    {
                        environment[key] = value;
                    }

                    break;
            }
        }

        return new Dockerfile
        {
            Path = path,
            WorkingDirectory = workingDirectory,
            Entrypoint = entrypoint,
            Command = command,
            Environment = environment,
            BaseImages = baseImages,
        };
    }

    // FROM may use the arguments that stand before it, as $NAME or ${NAME}.
    private static string ExpandArguments(string image, Dictionary<string, string> defaults) =>
        defaults.OrderByDescending(argument => argument.Key.Length).Aggregate(image, (text, argument) => text
            .Replace($"${{{argument.Key}}}", argument.Value, StringComparison.Ordinal)
            .Replace($"${argument.Key}", argument.Value, StringComparison.Ordinal));

    /// <summary>The instructions of a file, each on one line and without comments.</summary>
    /// <param name="lines">The file's lines.</param>
    public static IEnumerable<(string Instruction, string Arguments)> Instructions(IEnumerable<string> lines)
    {
        var pending = "";
        foreach (var raw in lines)
        {
            var line = raw.Trim();
            if (line.StartsWith('#') || (line.Length == 0 && pending.Length == 0))
            {
                continue;
            }

            if (line.EndsWith('\\'))
            {
                pending += line[..^1] + " ";
                continue;
            }

            var words = (pending + line).Split(
                (char[])[' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            pending = "";
            if (words.Length == 2)
            {
                yield return (words[0].ToUpperInvariant(), words[1]);
            }
        }
    }

    // A list as in JSON, or a line for a shell.
    private static string[] Words(string arguments) => arguments.StartsWith('[')
        ?
        [
            .. arguments.Trim('[', ']', ' ').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(word => word.Trim('"')),
        ]
        : ["/bin/sh", "-c", arguments];

    private static IEnumerable<(string Key, string Value)> EnvironmentEntries(string arguments)
    {
        // 'ENV KEY value with spaces' is the old form; 'ENV A=1 B="2"' the current one.
        var firstWord = arguments.Split(' ', 2);
        if (!firstWord[0].Contains('=', StringComparison.Ordinal))
        {
            yield return (firstWord[0], firstWord.ElementAtOrDefault(1)?.Trim() ?? "");
            yield break;
        }

        foreach (var entry in arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = entry.Split('=', 2);
            if (pair.Length == 2)
            {
                yield return (pair[0], pair[1].Trim('"'));
            }
        }
    }
}
