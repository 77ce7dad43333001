using System.Globalization;
using System.Text;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// Splits Python source into logical lines, by the rules of
/// https://docs.python.org/3/reference/lexical_analysis.html. It is strict about what would make the rest of a file mean
/// something else (strings, brackets, continuations) and does not look at grammar beyond that.
/// </summary>
internal sealed class PythonLexer(string source)
{
    // Python's own limit; it also bounds the recursion of whoever evaluates the tokens.
    private const int MaximumDepth = 200;

    private static readonly string[] s_longOperators =
        ["**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":=", "**", "//", "<<", ">>"];

    // Not ReplaceLineEndings: that takes form feeds and Unicode's line separators for line ends too, Python does not.
    private readonly string _source = source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
    private readonly Stack<(char Bracket, int Line)> _open = new();
    private int _position;
    private int _line = 1;

    private bool AtEnd => _position >= _source.Length;

    private char Current => _source[_position];

    /// <summary>Reads the whole source.</summary>
    /// <exception cref="PythonSyntaxException">A string, bracket or character is wrong.</exception>
    public IEnumerable<PythonLine> ReadLines()
    {
        while (!AtEnd)
        {
            var indented = SkipIndentation();
            if (ReadLine() is { Count: > 0 } tokens)
            {
                yield return new PythonLine(tokens, indented);
            }
        }
    }

    private bool SkipIndentation()
    {
        var indented = false;
        while (!AtEnd && Current is ' ' or '\t' or '\f')
        {
            // A form feed resets the column.
            indented = Current != '\f';
            _position++;
        }

        return indented;
    }

    private List<PythonToken> ReadLine()
    {
        List<PythonToken> tokens = [];
        while (!AtEnd)
        {
            switch (Current)
            {
                case '\n':
                    _position++;
                    _line++;
                    if (_open.Count == 0)
                    {
                        return tokens;
                    }

                    break;
                case ' ' or '\t' or '\f':
                    _position++;
                    break;
                case '#':
                    SkipComment();
                    break;
                case '\\':
                    SkipContinuation();
                    break;
                default:
                    tokens.Add(ReadToken());
                    break;
            }
        }

        if (_open.TryPeek(out var open))
        {
            throw new PythonSyntaxException(open.Line, $"the bracket '{open.Bracket}' is never closed");
        }

        return tokens;
    }

    private void SkipComment()
    {
        while (!AtEnd && Current != '\n')
        {
            _position++;
        }
    }

    private void SkipContinuation()
    {
        if (_position + 1 >= _source.Length || _source[_position + 1] != '\n')
        {
            throw new PythonSyntaxException(_line, "there is something after the '\\' that continues the line");
        }

        _position += 2;
        _line++;
    }

    private PythonToken ReadToken()
    {
        if (IsNameStart(Current))
        {
            return ReadNameOrText();
        }

        if (Current is '"' or '\'')
        {
            return ReadText("");
        }

        if (char.IsAsciiDigit(Current) || (Current == '.' && _position + 1 < _source.Length && char.IsAsciiDigit(_source[_position + 1])))
        {
            return ReadNumber();
        }

        return ReadOperator();
    }

    private PythonToken ReadNameOrText()
    {
        var start = _position;
        while (!AtEnd && IsNamePart(Current))
        {
            _position++;
        }

        var name = _source[start.._position];
        return !AtEnd && Current is '"' or '\'' && name.Length <= 2
            && name.All(letter => "rbuftRBUFT".Contains(letter, StringComparison.Ordinal))
            ? ReadText(name)
            : new PythonToken(PythonTokenKind.Name, name, _line, _open.Count);
    }

    private PythonToken ReadNumber()
    {
        var start = _position;
        while (!AtEnd && (IsNamePart(Current) || Current == '.'))
        {
            _position++;
        }

        return new PythonToken(PythonTokenKind.Number, _source[start.._position], _line, _open.Count);
    }

    private PythonToken ReadText(string prefix)
    {
        var line = _line;
        var quote = Current;
        var isTriple = _position + 2 < _source.Length && _source[_position + 1] == quote && _source[_position + 2] == quote;
        _position += isTriple ? 3 : 1;

        var isRaw = prefix.Contains('r', StringComparison.OrdinalIgnoreCase);
        var isPlain = prefix.All(letter => letter is 'r' or 'R' or 'u' or 'U');
        var value = new StringBuilder();
        while (true)
        {
            if (AtEnd || (Current == '\n' && !isTriple))
            {
                throw new PythonSyntaxException(line, "a string is never closed");
            }

            var character = Current;
            if (character == quote && (!isTriple || string.CompareOrdinal(_source, _position, new string(quote, 3), 0, 3) == 0))
            {
                _position += isTriple ? 3 : 1;
                return new PythonToken(isPlain ? PythonTokenKind.Text : PythonTokenKind.OtherText, value.ToString(), line, _open.Count);
            }

            _position++;
            if (character == '\n')
            {
                _line++;
            }

            if (character != '\\')
            {
                value.Append(character);
            }
            else if (AtEnd)
            {
                throw new PythonSyntaxException(line, "a string is never closed");
            }
            else if (isRaw || !isPlain)
            {
                // A raw string keeps the backslash, and the character after it never ends the string.
                value.Append(character).Append(Current);
                _line += Current == '\n' ? 1 : 0;
                _position++;
            }
            else
            {
                ReadEscape(value);
            }
        }
    }

    private void ReadEscape(StringBuilder value)
    {
        var character = Current;
        _position++;
        switch (character)
        {
            case '\n':
                _line++;
                break;
            case '\\' or '\'' or '"':
                value.Append(character);
                break;
            case 'a':
                value.Append('\a');
                break;
            case 'b':
                value.Append('\b');
                break;
            case 'f':
                value.Append('\f');
                break;
            case 'n':
                value.Append('\n');
                break;
            case 'r':
                value.Append('\r');
                break;
            case 't':
                value.Append('\t');
                break;
            case 'v':
                value.Append('\v');
                break;
            case 'x':
                AppendHexadecimal(value, 2);
                break;
            case 'u':
                AppendHexadecimal(value, 4);
                break;
            case 'U':
                AppendHexadecimal(value, 8);
                break;
            case 'N':
                throw new PythonSyntaxException(
                    _line, "a string names a character with '\\N', which cannot be read here; write the character itself");
            case >= '0' and <= '7':
                AppendOctal(value, character);
                break;
            default:
                // Python warns and keeps both.
                value.Append('\\').Append(character);
                break;
        }
    }

    private void AppendHexadecimal(StringBuilder value, int digits)
    {
        if (_position + digits > _source.Length ||
            !uint.TryParse(_source.AsSpan(_position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) ||
            code > 0x10FFFF)
        {
            throw new PythonSyntaxException(_line, "a string has an incomplete '\\x', '\\u' or '\\U'");
        }

        _position += digits;
        AppendCodePoint(value, code);
    }

    private void AppendOctal(StringBuilder value, char first)
    {
        uint code = (uint)(first - '0');
        for (var digits = 1; digits < 3 && !AtEnd && Current is >= '0' and <= '7'; digits++)
        {
            code = (code * 8) + (uint)(Current - '0');
            _position++;
        }

        AppendCodePoint(value, code);
    }

    private static void AppendCodePoint(StringBuilder value, uint code)
    {
        if (code > char.MaxValue)
        {
            value.Append(char.ConvertFromUtf32((int)code));
        }
        else
        {
            value.Append((char)code);
        }
    }

    private PythonToken ReadOperator()
    {
        var character = Current;
        if (character is '(' or '[' or '{')
        {
            if (_open.Count >= MaximumDepth)
            {
                throw new PythonSyntaxException(_line, "too many brackets inside each other");
            }

            var opening = new PythonToken(PythonTokenKind.Operator, character.ToString(), _line, _open.Count);
            _open.Push((character, _line));
            _position++;
            return opening;
        }

        if (character is ')' or ']' or '}')
        {
            var expected = character switch { ')' => '(', ']' => '[', _ => '{' };
            if (!_open.TryPop(out var open) || open.Bracket != expected)
            {
                throw new PythonSyntaxException(_line, $"the bracket '{character}' has no partner");
            }

            _position++;
            return new PythonToken(PythonTokenKind.Operator, character.ToString(), _line, _open.Count);
        }

        var text = s_longOperators.FirstOrDefault(
            candidate => string.CompareOrdinal(_source, _position, candidate, 0, candidate.Length) == 0)
            ?? ("+-*/%@&|^~<>=.,:;!".Contains(character, StringComparison.Ordinal)
                ? character.ToString()
                : throw new PythonSyntaxException(_line, $"the character {Shown(character)} means nothing in Python"));
        _position += text.Length;
        return new PythonToken(PythonTokenKind.Operator, text, _line, _open.Count);
    }

    private static string Shown(char character) =>
        char.IsControl(character) || char.IsSurrogate(character) || char.IsWhiteSpace(character)
            ? $"U+{(int)character:X4}"
            : $"'{character}'";

    private static bool IsNameStart(char character) => character == '_' || char.IsLetter(character) || char.IsSurrogate(character);

    private static bool IsNamePart(char character) =>
        IsNameStart(character) || char.GetUnicodeCategory(character) is
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.ConnectorPunctuation or UnicodeCategory.LetterNumber;
}
