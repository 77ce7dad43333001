using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Site;

/// <summary>Reads the end of pytest's output: its counts, and what has failed.</summary>
internal static partial class PytestOutput
{
    /// <summary>The counts in pytest's last line (<c>1 failed, 12 passed in 3.21s</c>); <see langword="null"/> if it did
    /// not get that far.</summary>
    public static string? Counts(IReadOnlyList<string> lines) =>
        lines.Select(line => LastLine().Match(line)).LastOrDefault(match => match.Success)?.Groups[1].Value;

    /// <summary>One line for each test that failed, with its reason.</summary>
    public static IEnumerable<string> Failures(IReadOnlyList<string> lines) =>
        lines.Where(line => line.StartsWith("FAILED ", StringComparison.Ordinal) || line.StartsWith("ERROR ", StringComparison.Ordinal));

    /// <summary>What pytest's exit code means; its manual, <c>reference/exit-codes</c>.</summary>
    public static string Meaning(int exitCode) => exitCode switch
    {
        1 => "tests failed",
        2 => "it was interrupted, or a file could not be collected",
        3 => "pytest itself failed",
        4 => "pytest was called wrongly",
        5 => "there are no such tests",
        127 => "pytest is not installed in this image",
        137 => "it was killed",
        _ => $"exit code {exitCode}",
    };

    [GeneratedRegex(@"^=+ (.*\b(?:passed|failed|errors?|skipped|deselected|warnings?|no tests ran)\b.*? in [\d.]+s.*?) =+$")]
    private static partial Regex LastLine();
}
