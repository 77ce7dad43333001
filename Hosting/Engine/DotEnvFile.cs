using System.Text.RegularExpressions;

namespace UvlhubAspire.Engine;

/// <summary>
/// A <c>.env</c> file as compose's <c>env_file</c> takes it, because containers get these values as their environment and
/// the python-dotenv inside the application leaves a variable alone that is there: quotes are removed, <c>export</c> and
/// comments are ignored, <c>$NAME</c> and <c>${NAME}</c> refer to an earlier key. Unlike compose, a <c>$</c> before any other name is
/// an ordinary character: a password keeps it. The machine's own variables are not looked at: a checkout means the same
/// everywhere. Existing libraries pass over a line that they cannot read; here it is an error with its line
/// number, because a silently lost password costs a student an afternoon.
/// </summary>
public sealed partial class DotEnvFile
{
    // Stands for a dollar that is one, until the references to other keys have been replaced.
    private const char EscapedDollar = '\uE000';

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);
    private readonly List<string> _repeated = [];

    private DotEnvFile(string path) => Path = path;

    /// <summary>Keys and values; where a key stands twice, the last one counts, as in compose and python-dotenv.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>Keys that stand more than once, in the order of their second appearance.</summary>
    public IReadOnlyList<string> Repeated => _repeated;

    /// <summary>The path that was read.</summary>
    public string Path { get; }

    /// <summary>The line, counted from 1, on which a key got its value.</summary>
    public int? LineOf(string key) => _lines.TryGetValue(key, out var line) ? line : null;

    /// <summary>Reads a file.</summary>
    /// <exception cref="UserErrorException">A line is malformed: file, line and reason.</exception>
    public static DotEnvFile Read(string path) => Parse(File.ReadAllText(path), path);

    /// <summary>Reads text; <paramref name="path"/> only names its origin in messages.</summary>
    /// <exception cref="UserErrorException">A line is malformed: file, line and reason.</exception>
    public static DotEnvFile Parse(string text, string path)
    {
        var file = new DotEnvFile(path);
        text = text.TrimStart('\uFEFF').Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        for (var at = AfterBlanks(0); at < text.Length;)
        {
            at = AfterBlanks(file.ReadEntry(text, at));
        }

        return file;

        int AfterBlanks(int at) => at + Blanks().Match(text, at).Length;
    }

    // Returns where the entry ends.
    private int ReadEntry(string text, int at)
    {
        var line = text.AsSpan(0, at).Count('\n') + 1;
        var end = LineEnd(text, at);
        var equals = text.IndexOf('=', at, end - at);
        var key = ReadKey(text[at..(equals < 0 ? end : equals)].Trim(), equals >= 0, line);
        var start = equals + 1;
        while (start < end && text[start] is ' ' or '\t')
        {
            start++;
        }

        string value;
        if (start < end && text[start] is '\'' or '"')
        {
            var quote = text[start];
            var quoted = Quoted().Match(text, start);
            if (!quoted.Success)
            {
                throw Malformed($"the value of {key} opens a {quote} that is never closed", line);
            }

            end = LineEnd(text, start + quoted.Length);
            var trailing = text[(start + quoted.Length)..end].Trim();
            if (trailing is not ("" or ['#', ..]))
            {
                throw Malformed(
                    $"text after the closing {quote} of {key}: '{Shorten(trailing)}'; escape the inner {quote} as \\{quote}", line);
            }

            value = Escape().Replace(quoted.Groups[2].Value, escape => Unescaped(quote, escape.Value[1]));
            value = quote == '"' ? Expand(value) : value;
        }
        else
        {
            // A comment starts at a '#' after a value and white space; 'a#b' is a value, and so is '#b'.
            value = Expand(Comment().Replace(text[start..end], "").Trim());
        }

        if (!_values.TryAdd(key, value) && !_repeated.Contains(key))
        {
            _repeated.Add(key);
        }

        (_values[key], _lines[key]) = (value, line);
        return end;
    }

    private string ReadKey(string text, bool hasValue, int line)
    {
        if (!hasValue)
        {
            throw Malformed($"'{Shorten(text)}' has no '='; write KEY=value, or start the line with # if it is a comment", line);
        }

        var key = Export().Replace(text, "");
        return KeyName().IsMatch(key) ? key : throw Malformed(
            key.Length == 0 ? "there is no name before '='"
                : $"'{Shorten(key)}' is no name of an environment variable (letters, digits and '_', not starting with a digit)",
            line);
    }

    private static string Unescaped(char quote, char escaped) => (quote, escaped) switch
    {
        ('"', 'n') => "\n",
        ('"', 't') => "\t",
        ('"', 'r') => "\r",
        ('"', '$') => EscapedDollar.ToString(),
        ('"', '\\') => "\\",
        _ when escaped == quote => quote.ToString(),
        _ => $"\\{escaped}",
    };

    private string Expand(string value) =>
        new ComposeVariables(_values.GetValueOrDefault, _ => { }, keepsUnknown: true).Expand(value).Replace(EscapedDollar, '$');

    private static int LineEnd(string text, int at) => text.IndexOf('\n', at) is >= 0 and var end ? end : text.Length;

    private UserErrorException Malformed(string reason, int line) => new(reason, Path, line);

    // What stands in an .env may be a password on the wrong line: messages show only its beginning.
    private static string Shorten(string text) => text.Length <= 20 ? text : text[..20] + "…";

    [GeneratedRegex(@"\G(?:\s+|#[^\n]*)*")]
    private static partial Regex Blanks();

    [GeneratedRegex(@"^export[ \t]+")]
    private static partial Regex Export();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_.-]*\z")]
    private static partial Regex KeyName();

    [GeneratedRegex(@"\G(['""])((?:\\.|(?!\1)[^\\])*)\1", RegexOptions.Singleline)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\\.", RegexOptions.Singleline)]
    private static partial Regex Escape();

    [GeneratedRegex(@"(?<=.)[ \t]#.*")]
    private static partial Regex Comment();
}
