using System.Globalization;
using System.Text;

namespace UvlhubAspire.Bench;

/// <summary>Prints the results as they come, and writes them as text and as a picture.</summary>
/// <param name="facts">The command and the versions.</param>
internal sealed class Report(IReadOnlyList<(string Name, string Value)> facts)
{
    private const int BarWidth = 60;
    private readonly List<(string Name, string Value)> _facts = [.. facts];
    private readonly List<Comparison> _comparisons = [];
    private readonly List<(string Name, Start Start)> _starts = [];

    /// <summary>A line for who waits.</summary>
    public static void Progress(string line) => Console.Error.WriteLine($"== {line}");

    /// <summary>Adds a comparison.</summary>
    public void Add(Comparison comparison)
    {
        _comparisons.Add(comparison);
        Progress(Row(comparison));
    }

    /// <summary>Adds a fact.</summary>
    public void AddFact(string name, string value)
    {
        _facts.Add((name, value));
        Progress($"{name}: {value}");
    }

    /// <summary>Adds what the AppHost's processes hold.</summary>
    public void Memory((double AppHost, double Orchestrator, double Dashboard) memory) =>
        AddFact("memory beside the containers", string.Create(
            CultureInfo.InvariantCulture,
            $"AppHost {memory.AppHost:0} MiB, orchestrator {memory.Orchestrator:0} MiB, dashboard {memory.Dashboard:0} MiB; ")
            + "compose none once it has ended");

    /// <summary>Adds where the time of one start went, on both sides.</summary>
    public void AddPicture(string kind, Start appHost, Start compose)
    {
        _starts.Add(($"{kind}, AppHost", appHost));
        _starts.Add(($"{kind}, compose", compose));
    }

    /// <summary>Writes the text, and <c>phases.svg</c> where starts were measured.</summary>
    public async Task WriteAsync(string folder, string name, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var text = Text();
        Console.Write(text);
        await File.WriteAllTextAsync(Path.Combine(folder, name), text, cancellationToken);
        if (_starts.Count > 0)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "phases.svg"), PhasePicture.Draw(_starts), cancellationToken);
        }
    }

    private string Text()
    {
        var text = new StringBuilder("UvlhubAspire against uvlhub's own docker compose\n\n");
        foreach (var (name, value) in _facts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\n");
        }

        var isMedian = _comparisons.Any(comparison => comparison.AppHost.Values.Count > 1 || comparison.Compose.Values.Count > 1);
        text.Append(isMedian ? "\nMedian (lowest–highest, n figures)" : "\nOne figure each")
            .Append("; ratio = first ÷ second, below 1 the first is faster.\n\n");
        foreach (var comparison in _comparisons)
        {
            text.Append(Row(comparison)).Append('\n');
        }

        if (_starts.Count > 0)
        {
            text.Append("\nWhere the time of the start in the middle goes, in seconds:\n");
        }

        var longest = _starts.Select(start => start.Start.Seconds).DefaultIfEmpty(1).Max();
        foreach (var (name, start) in _starts)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{name}: {start.Seconds:0.00}\n");
            foreach (var phase in start.Phases)
            {
                var from = (int)Math.Round(phase.Start / longest * BarWidth);
                var length = Math.Max(1, (int)Math.Round(phase.End / longest * BarWidth) - from);
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"  {phase.Name,-16}{new string(' ', from)}{new string('█', length)} {phase.Start:0.00}–{phase.End:0.00}\n");
            }
        }

        return text.ToString();
    }

    private static string Row(Comparison comparison) => string.Create(
        CultureInfo.InvariantCulture,
        $"{comparison.Name}\n    {comparison.Sides.Ours} {comparison.AppHost.Text()}   {comparison.Sides.Theirs} "
        + $"{comparison.Compose.Text()}   ratio "
        + $"{comparison.Ratio:0.00}{(comparison.Goal is { } goal ? $"   goal ≤ {goal:0.0#}: {comparison.Verdict}" : "")}");
}
