using System.Text.RegularExpressions;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// Reads revision files that are as Alembic's own template writes them, without Python: a docstring, imports, comments, then
/// the identifiers, each once and as plain text, and nothing below that could set them again. Of any other file it says
/// nothing, so that Alembic itself is asked.
/// </summary>
internal static partial class RevisionTemplate
{
    private const string Names = "revision|down_revision|branch_labels|depends_on";

    // Not one that names another encoding than UTF-8, https://peps.python.org/pep-0263/.
    private const string LineEnd = @"[ \t]*(?:\#(?!.*coding[:=](?![ \t]*[Uu][Tt][Ff]-?8(?![-.\w]))).*)?\n";

    // Without a backslash in it, every quote is what it seems to be; tabs and the like Python turns into spaces.
    private const string NotPlain = @"\\\x00-\x09\x0B-\x1F";

    private const string Annotation = @"[ \t]*(?::[ \t\w\[\],.|]+)?=[ \t]*";
    private const string Text = """(?:'(?<value>[\w.]+)'|"(?<value>[\w.]+)")""";

    /// <summary>Reads a file.</summary>
    /// <param name="text">Its text, with <c>\n</c> at the end of each line.</param>
    /// <returns><see langword="null"/> if the file is not certainly as the template writes it.</returns>
    public static Revision? Read(string file, string text)
    {
        var docstring = Docstring().Match(text);
        var position = docstring.Length;
        Dictionary<string, Match> assigned = new(StringComparer.Ordinal);
        for (var line = Line().Match(text, position); line.Success; line = line.NextMatch())
        {
            position = line.Index + line.Length;
            if (line.Groups["name"] is { Success: true, Value: var name } && !assigned.TryAdd(name, line))
            {
                return null;
            }
        }

        if (!assigned.TryGetValue("revision", out var id) || !assigned.TryGetValue("down_revision", out var parents)
            || Elsewhere().IsMatch(text, position))
        {
            return null;
        }

        return new Revision(
            id.Groups["value"].Value,
            Values("down_revision"),
            LineOf(parents, text),
            docstring.Groups["text"].Value.Trim().Split("\n\n")[0],
            Values("branch_labels"),
            Values("depends_on"))
        { File = file };

        IReadOnlyList<string> Values(string name) => assigned.TryGetValue(name, out var line)
            ? [.. line.Groups["value"].Captures.Select(value => value.Value).Distinct(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>The line on which a match begins, counted from 1.</summary>
    public static int LineOf(Match match, string text) => text.AsSpan(0, match.Index).Count('\n') + 1;

    [GeneratedRegex($$"""
        \A \uFEFF? (?>(?:{{LineEnd}})*)
        (?> "{3}(?<text>(?:"{0,2}[^"{{NotPlain}}])*)"{3} | '{3}(?<text>(?:'{0,2}[^'{{NotPlain}}])*)'{3}
            | "(?<text>[^"\n{{NotPlain}}]*)" | '(?<text>[^'\n{{NotPlain}}]*)' )
        {{LineEnd}}
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Docstring();

    // One after the other, from where the last one ended: nothing or a comment, an import, an identifier.
    [GeneratedRegex($$"""
        \G (?:
            | (?! .*\b(?:{{Names}})\b ) (?: from[ \t]+[\w.]+[ \t]+ )? import[ \t]+[\w., \t]+
            | (?<name>revision) {{Annotation}} {{Text}}
            | (?<name>down_revision|branch_labels|depends_on) {{Annotation}}
                (?: None | {{Text}} | \([ \t\n]* {{Text}} (?: [ \t\n]*,[ \t\n]* {{Text}} )* [ \t\n]*,?[ \t\n]*\) )
        ) {{LineEnd}}
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Line();

    // A line that names one of them, or has what could set one without naming it. A comment cannot, unless a string ends in it.
    [GeneratedRegex(
        $"""^(?![ \t]*\#[^'"\n]*$).*(?:\b(?:{Names}|exec|eval|globals|locals|vars|setattr|modules|__\w+__)\b|import[ \t\\\n]*\*)""",
        RegexOptions.Multiline)]
    private static partial Regex Elsewhere();
}
