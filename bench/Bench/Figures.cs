using System.Globalization;

namespace UvlhubAspire.Bench;

/// <summary>Figures of one kind, in seconds or in any other unit.</summary>
/// <param name="Values">In the order in which they were taken.</param>
internal sealed record Figures(IReadOnlyList<double> Values)
{
    /// <summary>The middle one; of an even number the mean of both.</summary>
    public double Median
    {
        get
        {
            var sorted = Values.Order().ToList();
            return sorted.Count == 0 ? double.NaN
                : sorted.Count % 2 == 1 ? sorted[sorted.Count / 2]
                : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
        }
    }

    /// <summary>The median, for people, with their number; with the range where there is one.</summary>
    public string Text(string unit = "s") => Values.Count switch
    {
        0 => "–",
        1 => string.Create(CultureInfo.InvariantCulture, $"{Values[0]:0.00} {unit} (n=1)"),
        var n => string.Create(CultureInfo.InvariantCulture, $"{Median:0.00} {unit} ({Values.Min():0.00}–{Values.Max():0.00}, n={n})"),
    };
}

/// <summary>Both sides of one comparison.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="AppHost">Our figures.</param>
/// <param name="Compose">Those that we are compared with.</param>
/// <param name="Goal">The ratio that is aimed at; none if <see langword="null"/>.</param>
internal sealed record Comparison(string Name, Figures AppHost, Figures Compose, double? Goal)
{
    /// <summary>The names of both sides.</summary>
    public (string Ours, string Theirs) Sides { get; init; } = ("AppHost", "compose");

    /// <summary>Ours divided by theirs.</summary>
    public double Ratio => AppHost.Median / Compose.Median;

    /// <summary>The verdict, for people.</summary>
    public string Verdict => Goal is not { } goal ? "" : double.IsNaN(Ratio) ? "not measured" : Ratio <= goal ? "met" : "missed";
}

/// <summary>A stretch of a start.</summary>
/// <param name="Name">What went on.</param>
/// <param name="Start">Seconds after the command.</param>
/// <param name="End">Seconds after the command.</param>
internal sealed record Phase(string Name, double Start, double End);

/// <summary>One start, from the command to the first page.</summary>
/// <param name="Seconds">Until the first 200.</param>
/// <param name="Phases">Where the time went.</param>
internal sealed record Start(double Seconds, IReadOnlyList<Phase> Phases);
