using System.Text.RegularExpressions;

namespace UvlhubAspire.Runner.Flask;

/// <summary>What a command of Flask printed: forwarded line by line, its end kept, the cause of a failure found in it.</summary>
internal sealed partial class FlaskOutput(Action<string> forward)
{
    private readonly OutputTail _tail = new(forward, kept: 200);

    public void Add(string line)
    {
        if (RunningUpgrade().Match(line) is { Success: true } step)
        {
            Revision = step.Groups["to"].Value;
        }

        _tail.Add(line);
    }

    /// <summary>The revision that Alembic began last; <see langword="null"/> if it began none.</summary>
    public string? Revision { get; private set; }

    public string Text => string.Join('\n', _tail.Lines);

    /// <summary>The last line; empty if nothing was printed.</summary>
    public string LastLine => _tail.Lines is [.., var last] ? last : "";

    /// <summary>
    /// The one line that says why the command failed, with the statement that failed if it was SQL: the last exception of
    /// a Python traceback, a message of Alembic or click, or else the last line.
    /// </summary>
    public string Cause
    {
        get
        {
            var lines = _tail.Lines;
            var cause = lines.LastOrDefault(line => PythonException().IsMatch(line) || ToolError().IsMatch(line))
                ?? (lines is [.., var last] ? last : "it printed nothing");
            var statement = lines.LastOrDefault(line => line.StartsWith("[SQL: ", StringComparison.Ordinal));
            // A revision that cannot even be loaded: Python alone knows where.
            var frame = Revision is null ? lines.LastOrDefault(line => RevisionFrame().IsMatch(line)) : null;
            var place = frame is null ? null : RevisionFrame().Replace(frame, "(${file}, line ${line})");
            return string.Join(' ', new[] { LogPrefix().Replace(cause, "").Trim(), statement?.Trim(), place }.OfType<string>());
        }
    }

    /// <summary>
    /// The variable that the application asked its environment for in vain, and the line of code that did;
    /// <see langword="null"/> if it failed otherwise.
    /// </summary>
    public (string Name, string Place)? MissingVariable => MissingKey().Matches(Text).LastOrDefault() is { } missing
        ? (missing.Groups["name"].Value, $"{missing.Groups["file"].Value}:{missing.Groups["line"].Value}")
        : null;

    /// <summary>
    /// Whether uvlhub's seeding command reported a failed seeder. It catches the error, prints this line, and ends with
    /// exit code 0 all the same.
    /// </summary>
    public string? SeederError =>
        _tail.Lines.FirstOrDefault(line => line.Contains("Error running seeder", StringComparison.Ordinal));

    [GeneratedRegex(@"Running upgrade\s*(?<from>.*?)\s*->\s*(?<to>[^,\s]+)")]
    private static partial Regex RunningUpgrade();

    [GeneratedRegex(@"^[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit|Warning): ")]
    private static partial Regex PythonException();

    [GeneratedRegex("""^  File ".*/versions/(?<file>[^/]+\.py)", line (?<line>\d+).*""")]
    private static partial Regex RevisionFrame();

    // The application's frame, then that of Python's os.environ, each with the lines of code that it shows.
    [GeneratedRegex(
        """^  File "(?<file>.+)", line (?<line>\d+), in .*\n(?:    .*\n)*"""
        + """  File "(?:<frozen os>|.*/os\.py)", line .*\n(?:    .*\n)*KeyError: '(?<name>[A-Za-z_]\w*)'$""",
        RegexOptions.Multiline)]
    private static partial Regex MissingKey();

    [GeneratedRegex(@"^(ERROR \[[\w.]+\] )?(Error: )?")]
    private static partial Regex LogPrefix();

    // An application that cannot be imported has no commands: Flask shows the import's exception, and then lacks 'db'.
    [GeneratedRegex(@"^(Error: (?!No such command|While importing)|ERROR \[|FAILED: )")]
    private static partial Regex ToolError();
}
