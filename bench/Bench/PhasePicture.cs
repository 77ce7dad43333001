using System.Globalization;
using System.Security;
using System.Text;

namespace UvlhubAspire.Bench;

/// <summary>Draws the phases of starts as bars on one scale.</summary>
internal static class PhasePicture
{
    private const int Left = 190;
    private const int Width = 720;
    private const int RowHeight = 20;
    private static readonly string[] s_colours = ["#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#9d755d", "#eeca3b"];

    /// <summary>The picture as SVG.</summary>
    /// <param name="starts">The starts and their names.</param>
    public static string Draw(IReadOnlyList<(string Name, Start Start)> starts)
    {
        var longest = starts.Max(start => start.Start.Seconds);
        var names = starts.SelectMany(start => start.Start.Phases).Select(phase => phase.Name).Distinct().ToList();
        var body = new StringBuilder();
        var y = 16;
        foreach (var (name, start) in starts)
        {
            Text(body, 8, y + 4, $"{name}: {start.Seconds.ToString("0.00", CultureInfo.InvariantCulture)} s", isBold: true);
            foreach (var phase in start.Phases)
            {
                y += RowHeight;
                var (x, end) = (X(phase.Start), X(phase.End));
                Text(body, 24, y + 4, phase.Name, isBold: false);
                body.Append(CultureInfo.InvariantCulture, $"""<rect x="{x:0.0}" y="{y - 8}" width="{Math.Max(1, end - x):0.0}" height="14" fill="{s_colours[names.IndexOf(phase.Name) % s_colours.Length]}"/>""").Append('\n');
                Text(body, end + 5, y + 4, (phase.End - phase.Start).ToString("0.00", CultureInfo.InvariantCulture), isBold: false);
            }

            y += RowHeight + 14;
        }

        for (var second = 0; second <= longest; second++)
        {
            body.Insert(
                0,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""<line x1="{X(second):0.0}" y1="8" x2="{X(second):0.0}" y2="{y - 14}" stroke="#ddd"/>{'\n'}"""));
            Text(body, X(second) - 4, y, second.ToString(CultureInfo.InvariantCulture), isBold: false);
        }

        return string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Left + Width + 60}" height="{y + 12}" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            {body}</svg>

            """);

        double X(double seconds) => Left + (seconds / longest * Width);
    }

    private static void Text(StringBuilder body, double x, double y, string text, bool isBold) =>
        body.Append(
            CultureInfo.InvariantCulture,
            $"""<text x="{x:0.0}" y="{y:0.0}"{(isBold ? " font-weight=\"bold\"" : "")}>{SecurityElement.Escape(text)}</text>""")
            .Append('\n');
}
