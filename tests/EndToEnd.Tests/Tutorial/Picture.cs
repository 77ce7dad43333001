using System.Security.Cryptography;
using System.Text;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.EndToEnd.Tests.Tutorial;

/// <summary>A picture of the documentation, and what it depends on: when that changes, the picture is out of date.</summary>
/// <param name="File">Its file in <c>docs/images</c>.</param>
/// <param name="Shows">What is to be seen on it.</param>
/// <param name="Content">What determines that, as text.</param>
internal sealed record Picture(string File, string Shows, Func<Uvlhub, string> Content)
{
    private const string Record = "pictures.txt";

    private static readonly string s_repository = Path.GetDirectoryName(RepositoryFolder.Images)!;

    /// <summary>Where the pictures are, and a line for each with the hash of what it showed when it was taken.</summary>
    public static string Folder { get; } = Path.Combine(s_repository, "docs", "images");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Picture> All { get; } =
    [
        new("site.png", "the first page of the bundled sample", _ => Page()),
        new("dashboard.png", "the dashboard, with all of development and a browser", Resources),
        new("trace.png", "the steps of the migrator's trace", _ => MigratorSteps()),
        new("tutorial-1-dashboard.png", "the site alone, unhealthy", _ => Step(1)),
        new("tutorial-3-dashboard.png", "the site and its database", _ => Step(3)),
        new("tutorial-4-dashboard.png", "database, toolbox, finished migrator and site", _ => Step(4)),
        new("tutorial-5-site.png", "an edited first page", _ => Page() + Step(5)),
    ];

    /// <summary>The hash of what the picture would show now.</summary>
    public string Hash(Uvlhub uvlhub) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Content(uvlhub))))[..16];

    /// <summary>The hash of what it showed when it was taken; <see langword="null"/> if it never was.</summary>
    public string? HashWhenTaken() =>
        ReadRecord().GetValueOrDefault(File)?.Split(' ')[0];

    /// <summary>Writes down what a picture that has just been taken shows.</summary>
    public void NoteTaken(Uvlhub uvlhub)
    {
        var lines = ReadRecord();
        lines[File] = $"{Hash(uvlhub)}  {File}  {Shows}";
        System.IO.File.WriteAllLines(
            Path.Combine(Folder, Record), lines.OrderBy(line => line.Key, StringComparer.Ordinal).Select(line => line.Value));
    }

    private static Dictionary<string, string> ReadRecord() =>
        System.IO.File.Exists(Path.Combine(Folder, Record))
            ? System.IO.File.ReadAllLines(Path.Combine(Folder, Record)).ToDictionary(line => line.Split("  ")[1], StringComparer.Ordinal)
            : [];

    private static string Page()
    {
        string[] folders = ["app/templates", "app/static", "app/modules/public/templates", "app/modules/featuremodel/uvl_examples"];
        return string.Concat(folders
            .SelectMany(
                folder => Directory.EnumerateFiles(Path.Combine(RepositoryFolder.BundledSample, folder), "*", SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)
            .Select(System.IO.File.ReadAllText));
    }

    private static string Resources(Uvlhub uvlhub) =>
        string.Join(
            '\n',
            uvlhub.App.Services.GetRequiredService<DistributedApplicationModel>().Resources
                .Select(resource => $"{resource.GetType().Name} {resource.Name}").Order(StringComparer.Ordinal));

    private static string MigratorSteps() =>
        string.Join('\n', Directory.EnumerateFiles(RepositoryFolder.Runner, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .SelectMany(System.IO.File.ReadLines)
        .Where(line => line.Contains("Telemetry.Step(", StringComparison.Ordinal))
        .Select(line => line.Trim())
        .Order(StringComparer.Ordinal));

    // What the tutorial's reader has in AppHost.cs when the picture of an exercise is shown, and has edited.
    private static string Step(int number)
    {
        var pages = TutorialPage.ReadAll(TutorialPage.Languages[0]).Take(number).ToList();
        return pages.SelectMany(page => page.Blocks).Last(block => block.File is not null).Text
            + string.Concat(pages[^1].Text.Split('\n').Where(line => line.StartsWith("$ sed ", StringComparison.Ordinal)));
    }
}
