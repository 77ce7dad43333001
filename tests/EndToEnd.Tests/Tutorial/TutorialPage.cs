using System.Text.RegularExpressions;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.EndToEnd.Tests.Tutorial;

/// <summary>One page of <c>docs/tutorial</c>, with the blocks that a reader types or pastes.</summary>
/// <param name="Name">Language and file, such as <c>en/1-from-zero.md</c>.</param>
/// <param name="Text">The whole page.</param>
/// <param name="Blocks">Its fenced blocks, in order.</param>
/// <param name="Pictures">The files of the photographed pictures that it shows, each with its line.</param>
internal sealed partial record TutorialPage(
    string Name, string Text, IReadOnlyList<TutorialBlock> Blocks, IReadOnlyList<(int Line, string File)> Pictures)
{
    /// <summary>The folder of all pages.</summary>
    public static string Folder { get; } = Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "docs", "tutorial");

    /// <summary>The languages, the first of which is the one whose blocks are run.</summary>
    public static IReadOnlyList<string> Languages { get; } = ["en", "es"];

    /// <summary>The six pages of a language, in order.</summary>
    public static IReadOnlyList<TutorialPage> ReadAll(string language) =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Folder, language), "?-*.md").Order(StringComparer.Ordinal)
            .Select(file => Read($"{language}/{Path.GetFileName(file)}", File.ReadAllText(file))),
    ];

    /// <summary>Finds the fenced blocks of a page.</summary>
    public static TutorialPage Read(string name, string text)
    {
        var blocks = new List<TutorialBlock>();
        var pictures = new List<(int, string)>();
        var lines = text.Split('\n');
        for (var start = 0; start < lines.Length; start++)
        {
            if (lines[start].StartsWith("```", StringComparison.Ordinal))
            {
                var end = Array.FindIndex(lines, start + 1, line => line.StartsWith("```", StringComparison.Ordinal));
                if (end < 0)
                {
                    throw new FormatException($"{name}:{start + 1}: this block has no end");
                }

                blocks.Add(TutorialBlock.Read(name, start + 1, lines[start][3..].Trim(), lines[(start + 1)..end]));
                start = end;
            }
            else if (PicturePattern().Match(lines[start]) is { Success: true } picture)
            {
                pictures.Add((start + 1, Path.GetFileName(picture.Groups[1].Value)));
            }
        }

        return new TutorialPage(name, text, blocks, pictures);
    }

    /// <summary>What stands in bold: on these pages nothing but the titles of commands in the dashboard.</summary>
    public IEnumerable<string> Bold => BoldPattern().Matches(Text).Select(match => match.Groups[1].Value);

    [GeneratedRegex(@"!\[[^\]]*\]\(([^)]+\.png)\)")]
    private static partial Regex PicturePattern();

    [GeneratedRegex(@"\*\*([^*]+)\*\*")]
    private static partial Regex BoldPattern();
}

/// <summary>A fenced block.</summary>
/// <param name="Page">The page's name.</param>
/// <param name="Line">The line in which it begins.</param>
/// <param name="Language">The first word after the fence: <c>console</c>, <c>csharp</c>, or something that is only looked at.</param>
/// <param name="Options">What follows it: <c>file=PATH</c> or <c>not-run=REASON</c>.</param>
/// <param name="Text">What is in it.</param>
internal sealed record TutorialBlock(string Page, int Line, string Language, string Options, string Text)
{
    /// <summary>The file that the reader replaces by the block; <see langword="null"/> if it is none.</summary>
    public string? File => Option("file");

    /// <summary>Why the block is not run; <see langword="null"/> if it is.</summary>
    public string? NotRun => Option("not-run");

    /// <summary>What both languages have to have in common.</summary>
    public string Content => $"```{Language} {Options}\n{Text}\n```";

    public static TutorialBlock Read(string page, int line, string info, IEnumerable<string> lines)
    {
        var words = info.Split(' ', 2, StringSplitOptions.TrimEntries);
        return new TutorialBlock(page, line, words[0], words.Length > 1 ? words[1] : "", string.Join('\n', lines));
    }

    /// <summary>The commands of a console block, each with the output beneath it.</summary>
    public IEnumerable<TutorialCommand> Commands()
    {
        TutorialCommand? command = null;
        var line = Line;
        foreach (var text in Text.Split('\n'))
        {
            line++;
            if (text.StartsWith("$ ", StringComparison.Ordinal))
            {
                if (command is not null)
                {
                    yield return command;
                }

                command = new TutorialCommand($"docs/tutorial/{Page}:{line}", text[2..], []);
            }
            else if (command is null)
            {
                throw new FormatException($"docs/tutorial/{Page}:{line}: a console block begins with a line '$ command'");
            }
            else if (command.Output.Count == 0 && command.Text.EndsWith('\\'))
            {
                command = command with { Text = $"{command.Text}\n{text}" };
            }
            else
            {
                command = command with { Output = [.. command.Output, text] };
            }
        }

        if (command is not null)
        {
            yield return command;
        }
    }

    private string? Option(string name) =>
        Options.Split(' ').FirstOrDefault(option => option.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..];
}

/// <summary>A command, and what it prints.</summary>
/// <param name="At">Where it stands.</param>
/// <param name="Text">What is typed.</param>
/// <param name="Output">The lines beneath; <c>…</c> is any part of a line, or, alone, any lines. None: it prints nothing.</param>
internal sealed partial record TutorialCommand(string At, string Text, IReadOnlyList<string> Output)
{
    /// <summary>Whether the command has printed what stands beneath it. Blank lines and runs of spaces do not count.</summary>
    public bool Allows(string printed)
    {
        var pattern = string.Concat(Lines(Output).Select(line => line == "…"
            ? @"(?:.*\n)*?"
            : string.Join(".*", line.Split('…').Select(Regex.Escape)) + @"\n"));
        return Regex.IsMatch(
            string.Concat(Lines(Readable(printed).Split('\n')).Select(line => $"{line}\n")), $@"\A(?:{pattern})\z", RegexOptions.None,
            TimeSpan.FromSeconds(5));
    }

    /// <summary>What a person sees of it: no colours, no links, no carriage returns.</summary>
    public static string Readable(string printed) => EscapePattern().Replace(printed, "").Replace("\r", "", StringComparison.Ordinal);

    private static IEnumerable<string> Lines(IEnumerable<string> lines) =>
        lines.Select(line => SpacePattern().Replace(line, " ").Trim()).Where(line => line.Length > 0);

    [GeneratedRegex(@"\x1b\[[0-9;?]*[A-Za-z]|\x1b\].*?(?:\x1b\\|\a)")]
    private static partial Regex EscapePattern();

    [GeneratedRegex(@"\s+")]
    private static partial Regex SpacePattern();
}
