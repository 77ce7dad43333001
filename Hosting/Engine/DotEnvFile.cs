using System.Text;

namespace UvlhubAspire.Engine;

/// <summary>
/// A <c>.env</c> file as compose's <c>env_file</c> takes it, because containers get these values as their environment and
/// the python-dotenv inside the application leaves a variable alone that is there: quotes are removed, <c>export</c> and
/// comments are ignored, <c>$NAME</c> and <c>${NAME}</c> refer to an earlier key. Unlike compose, a <c>$</c> before any other name is
/// an ordinary character: a password keeps it. The machine's own variables are not looked at: a checkout means the same
/// everywhere. Existing libraries pass over a line that they cannot read; here it is an error with its line
/// number, because a silently lost password costs a student an afternoon.
/// </summary>
public sealed class DotEnvFile
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _lines = new(StringComparer.Ordinal);
    private readonly List<string> _repeated = [];
    private readonly string _file;
    private readonly string _text;
    private int _position;
    private int _line = 1;

    private DotEnvFile(string file, string text) => (_file, _text) = (file, text);

    /// <summary>Keys and values; where a key stands twice, the last one counts, as in compose and python-dotenv.</summary>
    public IReadOnlyDictionary<string, string> Values => _values;

    /// <summary>Keys that stand more than once, in the order of their second appearance.</summary>
    public IReadOnlyList<string> Repeated => _repeated;

    /// <summary>The path that was read.</summary>
    public string Path => _file;

    /// <summary>The line, counted from 1, on which a key got its value.</summary>
    public int? LineOf(string key) => _lines.TryGetValue(key, out var line) ? line : null;

    /// <summary>Reads a file.</summary>
    /// <exception cref="UserErrorException">A line is malformed: file, line and reason.</exception>
    public static DotEnvFile Read(string path) => Parse(System.IO.File.ReadAllText(path), path);

    /// <summary>Reads text; <paramref name="path"/> only names its origin in messages.</summary>
    /// <exception cref="UserErrorException">A line is malformed: file, line and reason.</exception>
    public static DotEnvFile Parse(string text, string path)
    {
        var file = new DotEnvFile(path, text.TrimStart('\uFEFF').Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n'));
        while (file.ReadEntry())
        {
        }

        return file;
    }

    private char Current => _position < _text.Length ? _text[_position] : '\0';

    private bool AtEnd => _position >= _text.Length;

    private bool ReadEntry()
    {
        while (!AtEnd && char.IsWhiteSpace(Current))
        {
            Advance();
        }

        if (AtEnd)
        {
            return false;
        }

        if (Current == '#')
        {
            SkipLine();
            return true;
        }

        var line = _line;
        var key = ReadKey();
        var value = ReadValue(key);
        if (_values.ContainsKey(key) && !_repeated.Contains(key))
        {
            _repeated.Add(key);
        }

        _values[key] = value;
        _lines[key] = line;
        return true;
    }

    private string ReadKey()
    {
        var start = _position;
        while (!AtEnd && Current is not ('=' or '\n'))
        {
            Advance();
        }

        var key = _text[start.._position].Trim();
        if (Current != '=')
        {
            throw Malformed($"'{Shorten(key)}' has no '='; write KEY=value, or start the line with # if it is a comment", _line);
        }

        if (key.StartsWith("export ", StringComparison.Ordinal) || key.StartsWith("export\t", StringComparison.Ordinal))
        {
            key = key["export".Length..].Trim();
        }

        if (key.Length == 0)
        {
            throw Malformed("there is no name before '='", _line);
        }

        if (!(char.IsAsciiLetter(key[0]) || key[0] == '_') || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-'))
        {
            throw Malformed(
                $"'{Shorten(key)}' is no name of an environment variable (letters, digits and '_', not starting with a digit)", _line);
        }

        Advance();
        return key;
    }

    private string ReadValue(string key)
    {
        while (Current is ' ' or '\t')
        {
            Advance();
        }

        return Current switch
        {
            '\'' => ReadQuoted(key, '\''),
            '"' => Expand(ReadQuoted(key, '"')),
            _ => Expand(ReadBare()),
        };
    }

    private string ReadBare()
    {
        var start = _position;
        while (!AtEnd && Current != '\n')
        {
            // A comment starts at a '#' after a value and white space; 'a#b' is a value, and so is '#b'.
            if (Current == '#' && _position > start && _text[_position - 1] is ' ' or '\t')
            {
                break;
            }

            Advance();
        }

        var value = _text[start.._position].Trim();
        SkipLine();
        return value;
    }

    private string ReadQuoted(string key, char quote)
    {
        var opened = _line;
        Advance();
        var value = new StringBuilder();
        while (Current != quote)
        {
            if (AtEnd)
            {
                throw Malformed($"the value of {key} opens a {quote} that is never closed", opened);
            }

            if (Current == '\\' && _position + 1 < _text.Length)
            {
                Advance();
                value.Append((quote, Current) switch
                {
                    ('"', 'n') => "\n",
                    ('"', 't') => "\t",
                    ('"', 'r') => "\r",
                    // An escaped dollar must survive Expand, which sees only the finished text.
                    ('"', '$') => EscapedDollar.ToString(),
                    ('"', '\\') => "\\",
                    var (q, c) when c == q => c.ToString(),
                    var (_, c) => "\\" + c,
                });
            }
            else
            {
                value.Append(Current);
            }

            Advance();
        }

        Advance();
        var rest = _position;
        SkipLine();
        var trailing = _text[rest.._position].Trim();
        return trailing.Length == 0 || trailing[0] == '#'
            ? value.ToString()
            : throw Malformed(
                $"text after the closing {quote} of {key}: '{Shorten(trailing)}'; escape the inner {quote} as \\{quote}", opened);
    }

    private const char EscapedDollar = '\uE000';

    private string Expand(string value) =>
        new ComposeVariables(_values.GetValueOrDefault, _ => { }, keepsUnknown: true).Expand(value).Replace(EscapedDollar, '$');

    private void Advance()
    {
        if (Current == '\n')
        {
            _line++;
        }

        _position++;
    }

    private void SkipLine()
    {
        while (!AtEnd && Current != '\n')
        {
            Advance();
        }
    }

    private UserErrorException Malformed(string reason, int line) => new(reason, _file, line);

    // What stands in an .env may be a password on the wrong line: messages show only its beginning.
    private static string Shorten(string text) => text.Length <= 20 ? text : text[..20] + "…";
}
