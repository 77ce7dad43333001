using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Publishing;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Publishing;

public sealed partial class PictureTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact(Timeout = 60_000)]
    public async Task The_picture_of_the_topology_shows_the_model_of_the_sample()
    {
        await using var builder = await ModelOnly.CreateAsync();

        var expected = TopologyDrawing.Write(new DistributedApplicationModel(builder.Resources))
            .Select(line => BoxOrArrow().Match(line))
            .Where(match => match.Success)
            .Select(
                match => match.Groups["to"].Success
                ? $"{match.Groups["from"].Value}->{match.Groups["to"].Value}"
                : match.Groups["from"].Value)
            .Order(StringComparer.Ordinal)
            .ToList();

        Assert.Contains("web->migrator", expected);
        Assert.Equal(expected, Shown("topology.svg", "title").Where(title => title != "uvlhub").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_picture_of_the_layout_shows_every_folder_of_the_AppHost()
    {
        var folders = Directory.GetDirectories(RepositoryFolder.AppHost).Select(folder => Path.GetFileName(folder)!)
            .Except(["bin", "obj", "Properties"]);

        Assert.Equal([], folders.Except(Shown("layout.svg", "text")));
    }

    private static IEnumerable<string> Shown(string picture, string element)
    {
        using var reader = XmlReader.Create(
            Path.Combine(
                RepositoryFolder.AppHost, "..", "docs", "images", picture), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return [.. XDocument.Load(reader).Descendants(s_svg + element).Select(found => found.Value)];
    }

    [GeneratedRegex("""^  "(?<from>[^"]+)"( -> "(?<to>[^"]+)")? \[""")]
    private static partial Regex BoxOrArrow();
}
