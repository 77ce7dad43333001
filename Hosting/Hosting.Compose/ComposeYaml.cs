using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace UvlhubAspire.Hosting.Compose;

/// <summary>
/// One YAML file as compose sees it: merge keys (<c>&lt;&lt;</c>) resolved, variables put in, every value with its line.
/// What has the wrong shape is noted and read as if it were not there.
/// </summary>
public sealed class ComposeYaml
{
    // Anchors may refer to themselves; nobody nests a compose file deeper than this.
    private const int MostLevels = 32;

    private readonly string _path;
    private readonly Func<string, string?> _variables;
    private readonly HashSet<string> _unsetSaid = new(StringComparer.Ordinal);

    private ComposeYaml(string path, Func<string, string?> variables, YamlMappingNode root) =>
        (_path, _variables, Root) = (path, variables, root);

    /// <summary>The file's top level.</summary>
    public YamlMappingNode Root { get; }

    /// <summary>What could not be read so far.</summary>
    public List<ComposeFinding> Findings { get; } = [];

    /// <summary>The service that is being read, for <see cref="Findings"/>.</summary>
    public string? CurrentService { get; set; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="UserErrorException">It is no YAML, or no mapping of keys: file, line and reason.</exception>
    public static ComposeYaml Load(string path, Func<string, string?> variables)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UserErrorException($"cannot be read: {exception.Message}", path);
        }

        var stream = new YamlStream();
        var scanner = new Scanner(new StringReader(text));
        try
        {
            stream.Load(new Parser(scanner));
        }
        catch (AnchorNotFoundException exception)
        {
            throw new UserErrorException($"this is not valid YAML: {Reason(exception)}", path, LineOfAlias(text, exception.Message));
        }
        catch (YamlException exception)
        {
            // Some of YamlDotNet's exceptions come without a position; the scanner still has it.
            var mark = exception.Start.Index > 0 ? exception.Start : scanner.CurrentPosition;
            throw new UserErrorException($"this is not valid YAML: {Reason(exception)}", path, (int)mark.Line);
        }
        catch (InvalidOperationException)
        {
            throw new UserErrorException(
                "this is not valid YAML: a bracket, a brace or a quote is not closed here or above", path,
                (int)scanner.CurrentPosition.Line);
        }

        return stream.Documents switch
        {
            [] => throw new UserErrorException("the file is empty; a compose file has at least 'services:'", path, 1),
            [{ RootNode: YamlMappingNode root }, ..] => new ComposeYaml(path, variables, root),
            [var other, ..] => throw new UserErrorException(
                "this is no compose file: its top level must be keys such as 'services:'", path, (int)other.RootNode.Start.Line),
        };
    }

    /// <summary>The line on which something begins.</summary>
    public SourceLine At(YamlNode node) => new(_path, (int)node.Start.Line);

    /// <summary>Notes something that could not be read.</summary>
    public void Note(YamlNode node, string subject, string problem, bool isFatal = false) =>
        Findings.Add(new ComposeFinding(At(node), CurrentService, subject, problem, isFatal));

    /// <summary>The entries of a mapping, those of its merge keys included; empty, and noted, if it is none.</summary>
    public IReadOnlyList<ComposeEntry> Entries(YamlNode node, string subject)
    {
        if (IsNull(node))
        {
            return [];
        }

        if (node is not YamlMappingNode mapping)
        {
            Note(node, subject, $"expected keys with values, found {Shape(node)}");
            return [];
        }

        var entries = new Dictionary<string, ComposeEntry>(StringComparer.Ordinal);
        Collect(mapping, subject, entries, level: 0);
        return [.. entries.Values];
    }

    /// <summary>The items of a list; a single value counts as a list of one. Empty, and noted, if it is neither.</summary>
    public IReadOnlyList<YamlNode> Items(YamlNode node, string subject)
    {
        switch (node)
        {
            case YamlSequenceNode sequence:
                return [.. sequence.Children];
            case YamlScalarNode when !IsNull(node):
                return [node];
            case YamlScalarNode:
                return [];
            default:
                Note(node, subject, $"expected a list, found {Shape(node)}");
                return [];
        }
    }

    /// <summary>A single value with its variables put in; <see langword="null"/> if it is empty or, then noted, malformed.</summary>
    public string? Text(YamlNode node, string subject)
    {
        if (IsNull(node))
        {
            return null;
        }

        if (node is not YamlScalarNode { Value: { } value })
        {
            Note(node, subject, $"expected a single value, found {Shape(node)}");
            return null;
        }

        try
        {
            return new ComposeVariables(_variables, name => NoteUnset(node, subject, name)).Expand(value);
        }
        catch (FormatException exception)
        {
            Note(node, subject, exception.Message, isFatal: true);
            return null;
        }
    }

    /// <summary>The single values of a list.</summary>
    public IReadOnlyList<(string Text, YamlNode Node)> Texts(YamlNode node, string subject) =>
        [.. Items(node, subject).Select(item => (Text: Text(item, subject), item)).Where(item => item.Text is not null).Select(item => (item.Text!, item.item))];

    /// <summary>A mapping, or a list of <c>name=value</c>, as pairs; a pair without value has <see langword="null"/>.</summary>
    public IReadOnlyList<(string Name, string? Value, YamlNode Node)> Pairs(YamlNode node, string subject, params char[] separators)
    {
        if (node is YamlMappingNode)
        {
            return [.. Entries(node, subject).Select(entry => (entry.Name, Text(entry.Value, subject), entry.Key))];
        }

        return [.. Texts(node, subject).Select(item =>
        {
            var separator = item.Text.IndexOfAny(separators);
            return separator < 0
                ? (item.Text, null, item.Node)
                : (item.Text[..separator], (string?)item.Text[(separator + 1)..], item.Node);
        })];
    }

    /// <summary>A switch; <see langword="false"/>, and noted, if it is neither on nor off.</summary>
    public bool Switch(YamlNode node, string subject)
    {
        var text = Text(node, subject);
        if (text is null || text.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        if (!text.Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            Note(node, subject, $"expected true or false, found '{text}'");
            return false;
        }

        return true;
    }

    /// <summary>A whole number; <see langword="null"/>, and noted, if it is none.</summary>
    public int? Number(YamlNode node, string subject)
    {
        var text = Text(node, subject);
        if (text is null)
        {
            return null;
        }

        if (int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        Note(node, subject, $"expected a whole number, found '{text}'");
        return null;
    }

    /// <summary>Whether there is nothing: no value at all, <c>~</c> or <c>null</c>.</summary>
    public static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    private void Collect(YamlMappingNode mapping, string subject, Dictionary<string, ComposeEntry> entries, int level)
    {
        if (level > MostLevels)
        {
            throw new UserErrorException($"'{subject}' is nested in itself through an anchor", _path, (int)mapping.Start.Line);
        }

        // The mapping's own keys first: they win over what they merge in.
        foreach (var (key, value) in mapping.Children)
        {
            if (!IsMergeKey(key) && key is YamlScalarNode { Value: { } name })
            {
                if (value.Tag is { IsEmpty: false, IsNonSpecific: false } tag && tag.Value is "!reset" or "!override")
                {
                    Note(value, name, $"{tag.Value} is not understood; the key is read as if it stood without");
                }

                entries.TryAdd(name, new ComposeEntry(name, key, value));
            }
        }

        foreach (var merged in mapping.Children.Where(child => IsMergeKey(child.Key))
            .SelectMany(child => child.Value is YamlSequenceNode several ? several.Children : [child.Value]))
        {
            if (merged is YamlMappingNode other)
            {
                Collect(other, subject, entries, level + 1);
            }
            else
            {
                Note(merged, subject, $"'<<' merges keys with values, not {Shape(merged)}");
            }
        }
    }

    private void NoteUnset(YamlNode node, string subject, string name)
    {
        if (_unsetSaid.Add(name))
        {
            Note(node, subject, $"the variable {name} is not set and counts as empty; set it in the checkout's .env");
        }
    }

    private static int LineOfAlias(string text, string message)
    {
        var name = message.Split('\'') is [_, var quoted, ..] ? quoted : "";
        return text.Split('\n').TakeWhile(line => !line.Contains($"*{name}", StringComparison.Ordinal)).Count() + 1;
    }

    private static bool IsMergeKey(YamlNode key) => key is YamlScalarNode { Value: "<<", Style: ScalarStyle.Plain };

    private static string Shape(YamlNode node) => node switch
    {
        YamlMappingNode => "keys with values",
        YamlSequenceNode => "a list",
        _ => $"'{((YamlScalarNode)node).Value}'",
    };

    // YamlDotNet's message may begin with the position, which stands in the exception's own fields.
    private static string Reason(YamlException exception)
    {
        var message = exception.InnerException?.Message ?? exception.Message;
        var end = message.StartsWith('(') ? message.LastIndexOf("): ", StringComparison.Ordinal) : -1;
        return end < 0 ? message : message[(end + 3)..];
    }
}

/// <summary>One entry of a mapping.</summary>
/// <param name="Name">The key.</param>
/// <param name="Key">Where the key stands.</param>
/// <param name="Value">The value.</param>
public sealed record ComposeEntry(string Name, YamlNode Key, YamlNode Value);
