using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Xunit;

namespace UvlhubAspire.Architecture.Tests;

/// <summary>docs/images/layout.svg shows the references that are there.</summary>
public sealed class LayoutPictureTests
{
    // docs/topology.sh names a file with this, and makes the picture of it.
    private const string DrawTo = "UVLHUB_DRAW_LAYOUT";

    [Fact]
    public void The_picture_shows_every_project_every_room_and_who_refers_to_whom()
    {
        var edges = Edges().Order(StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable(DrawTo) is { Length: > 0 } file)
        {
            File.WriteAllText(file, Dot(edges));
            return;
        }

        Assert.Equal(edges, Shown().Where(title => title.Contains("->", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    // Between rooms, only what does not follow from the others: who refers to Site may refer to what Site refers to.
    private static IEnumerable<string> Edges()
    {
        var rooms = RoomGraph.Read().Select(edge => edge.Key).ToHashSet();
        return rooms.Where(edge => !rooms.Any(first => first.From == edge.From && first.To != edge.To && Reaches(first.To, edge.To)))
            .Select(edge => $"{edge.From}->{edge.To}")
            .Concat(House.Projects.Keys.SelectMany(project => House.ReferencesOf(project).Select(reference => $"{project}->{reference}")));

        // Only forward: a reference in the wrong direction, which another test finds, must not lead round in circles.
        bool Reaches(string from, string to) => rooms.Contains((from, to))
            || rooms.Any(edge => edge.From == from && Position(edge.To) < Position(from) && Reaches(edge.To, to));

        static int Position(string room) => Array.IndexOf([.. House.Rooms], room);
    }

    private static string Dot(IEnumerable<string> edges)
    {
        var dot = new StringBuilder("""
            digraph layout { rankdir=LR; bgcolor=white; nodesep=0.25; ranksep=0.5
              node [shape=box, style="rounded,filled", fillcolor="#eef3fb", color="#4a6fa5", fontname="Helvetica", fontsize=12]
              edge [color="#7a7a7a"]
              subgraph cluster_rooms { label="rooms of the AppHost"; fontname="Helvetica"; color="#4a6fa5"; style=rounded

            """);
        dot.AppendJoin("", House.Rooms.Select(room => $"    \"{room}\"\n")).Append("  }\n");
        foreach (var edge in edges)
        {
            dot.Append(CultureInfo.InvariantCulture, $"  \"{edge.Replace("->", "\" -> \"", StringComparison.Ordinal)}\"\n");
        }

        return dot.Append("}\n").ToString();
    }

    private static IEnumerable<string> Shown()
    {
        using var reader = XmlReader.Create(
            Path.Combine(House.Root, "docs", "images", "layout.svg"), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return [.. XDocument.Load(reader).Descendants().Where(element => element.Name.LocalName == "title").Select(title => title.Value)];
    }
}
