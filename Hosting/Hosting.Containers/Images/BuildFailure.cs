using System.Globalization;
using System.Text.RegularExpressions;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>What a build that failed has said: which instruction, and what its program said last.</summary>
/// <param name="Dockerfile">The Dockerfile.</param>
/// <param name="Line">The line of the instruction that failed; <see langword="null"/> where the builder names none.</param>
/// <param name="Instruction">The instruction.</param>
/// <param name="Output">What it printed, or, where it printed nothing, the builder's own last lines.</param>
public sealed partial record BuildFailure(string Dockerfile, int? Line, string Instruction, IReadOnlyList<string> Output)
{
    private const string End = "ERROR: failed to solve: ";
    private const int MostLines = 12;
    private const int LongestInstruction = 120;

    /// <summary>The exit code of the instruction's program; <see langword="null"/> where none ran.</summary>
    public int? ExitCode { get; private init; }

    /// <summary>Reads the builder's output, as BuildKit writes it without a terminal; any other is shown as it is.</summary>
    /// <param name="dockerfile">The Dockerfile.</param>
    /// <param name="lines">The output, or the end of it.</param>
    public static BuildFailure Read(string dockerfile, IReadOnlyList<string> lines)
    {
        var failed = lines.Select(line => FailedStep().Match(line)).LastOrDefault(match => match.Success);
        var header = $"#{failed?.Groups[1].Value} [";
        var instruction = lines.FirstOrDefault(line => line.StartsWith(header, StringComparison.Ordinal)) is { } found
            ? found[(found.IndexOf(']', StringComparison.Ordinal) + 1)..].Trim()
            : "";
        var printed = lines.Select(line => StepOutput().Match(line))
            .Where(match => match.Success && match.Groups[1].Value == failed?.Groups[1].Value)
            .Select(match => match.Groups[2].Value)
            .ToList();
        var at = lines.Select(line => Location().Match(line)).LastOrDefault(match => match.Success);
        return new BuildFailure(
            dockerfile,
            at is null ? null : int.Parse(at.Groups[1].Value, CultureInfo.InvariantCulture),
            instruction,
            printed.Count > 0 ? printed
                : lines.LastOrDefault(line => line.StartsWith(End, StringComparison.Ordinal)) is { } end ? [end[End.Length..]] : lines)
        {
            ExitCode = lines.Select(line => ExitCodeOf().Match(line)).LastOrDefault(match => match.Success) is { } ended
                ? int.Parse(ended.Groups[1].Value, CultureInfo.InvariantCulture)
                : null,
        };
    }

    /// <summary>The message for a person: where, the last lines, and what to do.</summary>
    /// <param name="advice">What somebody who knows the program makes of it, line by line; none if nobody does.</param>
    public string Describe(IReadOnlyList<string> advice)
    {
        var shown = Instruction.Length > LongestInstruction ? $"{Instruction[..LongestInstruction]}…" : Instruction;
        List<string> lines =
        [
            $"{Dockerfile}{(Line is { } line ? $":{line}" : "")}: {(shown.Length == 0 ? "the build" : shown)} failed"
                + $"{(ExitCode is { } code ? $" with exit code {code}" : "")}:",
            .. Output.TakeLast(MostLines).Select(said => $"  {said.TrimEnd()}"),
            .. advice,
        ];
        if (advice.Count == 0 && KnownCause.Find(string.Join('\n', Output)) is { } cause)
        {
            lines.Add($"What helps: {cause.Remedy}.");
        }

        return string.Join(Environment.NewLine, lines);
    }

    // '#7 [2/4] RUN apt-get …' starts a step, '#7 12.3 …' is what it prints, '#7 ERROR: …' is its end.
    [GeneratedRegex(@"^#(\d+) ERROR: ")]
    private static partial Regex FailedStep();

    [GeneratedRegex(@"^#(\d+) \d+\.\d+ (.*)")]
    private static partial Regex StepOutput();

    [GeneratedRegex(@"did not complete successfully: exit code: (\d+)$")]
    private static partial Regex ExitCodeOf();

    // On a line of its own, above the lines of the Dockerfile that it means.
    [GeneratedRegex(@"^\S+:(\d+)$")]
    private static partial Regex Location();
}

/// <summary>Somebody who knows what a build runs: pip, for example.</summary>
public interface IBuildAdvisor
{
    /// <summary>What a failure means, for a person, line by line; none if it is none that the advisor knows.</summary>
    Task<IReadOnlyList<string>> ExplainAsync(BuildFailure failure, CancellationToken cancellationToken);

    /// <summary>Another way to build the same image, which has not been tried; <see langword="null"/> if there is none.</summary>
    /// <param name="recipe">What was built.</param>
    /// <param name="failure">How that failed.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The other recipe; its <see cref="ImageRecipe.Note"/> says what it does differently and why.</returns>
    Task<ImageRecipe?> RemedyAsync(ImageRecipe recipe, BuildFailure failure, CancellationToken cancellationToken);
}
