using System.Text;

namespace UvlhubAspire.Engine;

/// <summary>
/// Compose's variables in values: <c>$NAME</c>, <c>${NAME}</c>, with <c>:-</c> and <c>-</c> a default, with <c>:+</c> and
/// <c>+</c> a replacement, with <c>:?</c> and <c>?</c> an error, each of them nested at will; <c>$$</c> is a dollar sign.
/// </summary>
/// <param name="lookup">A variable's value; <see langword="null"/> if it is not set.</param>
/// <param name="unset">Told about each variable that is not set and has no default: it counts as empty.</param>
/// <param name="keepsUnknown">Whether a dollar sign that leads to no variable stays as it is written: before a name that is not set,
/// without a name, or before malformed braces. Default: the first is <paramref name="unset"/>, the others are errors.</param>
public sealed class ComposeVariables(Func<string, string?> lookup, Action<string> unset, bool keepsUnknown = false)
{
    /// <summary>Puts the values in.</summary>
    /// <exception cref="FormatException">The text is malformed, or a variable that it insists on is not set.</exception>
    public string Expand(string text)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
        {
            return text;
        }

        var result = new StringBuilder();
        for (var i = 0; i < text.Length;)
        {
            if (text[i] != '$' || (keepsUnknown && !LeadsToVariable(text, i)))
            {
                result.Append(text[i++]);
                continue;
            }

            var next = i + 1 < text.Length ? text[i + 1] : '\0';
            if (next == '$')
            {
                result.Append('$');
                i += 2;
            }
            else if (next == '{')
            {
                var end = ClosingBrace(text, i + 2);
                result.Append(Braced(text[(i + 2)..end]));
                i = end + 1;
            }
            else if (IsNameStart(next))
            {
                var end = NameEnd(text, i + 1);
                result.Append(Value(text[(i + 1)..end]));
                i = end;
            }
            else
            {
                throw new FormatException($"a lone '$' in '{text}'; a dollar sign is written $$");
            }
        }

        return result.ToString();
    }

    private bool LeadsToVariable(string text, int dollar)
    {
        var end = NameEnd(text, dollar + 1);
        if (end > dollar + 1)
        {
            return lookup(text[(dollar + 1)..end]) is not null;
        }

        try
        {
            return text[dollar..] is ['$', '$', ..]
                || (text[dollar..] is ['$', '{', ..] && Braced(text[(dollar + 2)..ClosingBrace(text, dollar + 2)]) is not null);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private string Braced(string inner)
    {
        var end = NameEnd(inner, 0);
        if (end == 0)
        {
            throw new FormatException($"'${{{inner}}}' names no variable");
        }

        var (name, rest) = (inner[..end], inner[end..]);
        var value = lookup(name);
        // With a colon an empty value counts as none.
        var countsEmpty = rest.StartsWith(':');
        var isSet = value is not null && !(countsEmpty && value.Length == 0);
        var word = rest.Length > (countsEmpty ? 2 : 1) ? rest[(countsEmpty ? 2 : 1)..] : "";
        return (countsEmpty ? rest[1..] : rest) switch
        {
            "" when !countsEmpty => Value(name),
            ['-', ..] => isSet ? value! : Expand(word),
            ['+', ..] => isSet ? Expand(word) : "",
            ['?', ..] =>
                isSet
                ? value!
                : throw new FormatException($"the variable {name} must be set{(word.Length == 0 ? "" : $": {Expand(word)}")}"),
            _ => throw new FormatException($"'${{{inner}}}' is malformed; after the name may come :-default, :+replacement or :?message"),
        };
    }

    private string Value(string name)
    {
        if (lookup(name) is { } value)
        {
            return value;
        }

        unset(name);
        return "";
    }

    private static int ClosingBrace(string text, int start)
    {
        var depth = 1;
        for (var i = start; i < text.Length; i++)
        {
            if (text[i] == '$' && i + 1 < text.Length && text[i + 1] is '{' or '$')
            {
                depth += text[i + 1] == '{' ? 1 : 0;
                i++;
            }
            else if (text[i] == '}' && --depth == 0)
            {
                return i;
            }
        }

        throw new FormatException($"'{text}' opens a ${{ that is never closed");
    }

    private static int NameEnd(string text, int start)
    {
        var end = start;
        while (end < text.Length && (end == start ? IsNameStart(text[end]) : IsNameStart(text[end]) || char.IsAsciiDigit(text[end])))
        {
            end++;
        }

        return end;
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';
}
