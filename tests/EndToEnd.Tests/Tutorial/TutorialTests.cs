using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests.Tutorial;

/// <summary>What <c>docs/tutorial</c> tells its readers to type is typed, and prints what the pages say.</summary>
public sealed partial class TutorialTests(RunningSample sample)
{
    // What cannot be run here, or would be the wrong thing to run, each with the mark that the blocks have.
    private static readonly string[] s_reasonsNotToRun =
    [
        // What one would type without an AppHost, shown beside it.
        "docker", "compose",
        // Cloning this repository: the test has the clone.
        "clone",
        // The reader's own uvlhub.
        "checkout",
        // A server with a name on the internet, and mail at it.
        "server",
    ];

    [Fact]
    public void Both_languages_have_the_same_blocks_in_the_same_order()
    {
        var (first, second) = (TutorialPage.ReadAll(TutorialPage.Languages[0]), TutorialPage.ReadAll(TutorialPage.Languages[1]));
        Assert.NotEmpty(first);
        Assert.Equal(first.Select(page => Number(page.Name)), second.Select(page => Number(page.Name)));
        foreach (var (one, other) in first.Zip(second))
        {
            foreach (var (block, translated) in one.Blocks.Zip(other.Blocks))
            {
                Assert.True(
                    block.Content == translated.Content,
                    $"{block.Page}:{block.Line} and {translated.Page}:{translated.Line} differ:\n{block.Content}\n{translated.Content}");
            }

            Assert.Equal(one.Pictures.Select(picture => picture.File), other.Pictures.Select(picture => picture.File));
            Assert.True(
                one.Blocks.Count == other.Blocks.Count, $"{one.Name} has {one.Blocks.Count} blocks, {other.Name} has {other.Blocks.Count}");
        }
    }

    [Fact]
    public void What_is_not_run_says_why() =>
        Assert.All(
            TutorialPage.Languages.SelectMany(TutorialPage.ReadAll).SelectMany(page => page.Blocks)
                .Where(block => block.NotRun is not null),
            block => Assert.Contains(block.NotRun, s_reasonsNotToRun));

    [Fact]
    public void Each_AppHost_is_more_of_the_products_own_than_the_one_before()
    {
        var product = File.ReadAllLines(Path.Combine(RepositoryFolder.AppHost, "AppHost.cs"));
        var steps = TutorialPage.ReadAll(TutorialPage.Languages[0]).SelectMany(page => page.Blocks).Where(block => block.File is not null)
            .ToList();
        Assert.NotEmpty(steps);
        Assert.All(steps, step => Assert.Equal("AppHost/AppHost.cs", step.File));

        HashSet<string> said = [];
        foreach (var step in steps)
        {
            var says = Methods(step.Text);
            Assert.True(
                said.IsProperSubsetOf(says),
                $"docs/tutorial/{step.Page}:{step.Line} lacks {string.Join(", ", said.Except(says))}, or adds nothing to the exercise "
                + "before");
            said = says;
        }

        // The last one is the product's, less the lines that the exercises leave to it.
        var last = steps[^1];
        var remaining = new Queue<string>(product.Select(line => line.Trim()));
        foreach (var line in last.Text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            while (remaining.TryDequeue(out var next) && next != line)
            {
            }

            Assert.True(
                remaining.Count > 0 || line == product[^1].Trim(),
                $"docs/tutorial/{last.Page}:{last.Line} has '{line}', which is not at its place in AppHost/AppHost.cs; change this page, "
                + "and the ones before it, in every language");
        }
    }

    [Fact]
    public void Every_title_of_a_command_is_one_of_the_dashboards()
    {
        var titles = sample.Uvlhub.App.Services.GetRequiredService<DistributedApplicationModel>().Resources
            .SelectMany(resource => resource.Annotations.OfType<ResourceCommandAnnotation>())
            .Select(command => command.DisplayName)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var page in TutorialPage.Languages.SelectMany(TutorialPage.ReadAll))
        {
            Assert.All(
                page.Bold,
                title =>
                    Assert.True(
                        titles.Contains(title),
                        $"docs/tutorial/{page.Name} has {title} in bold, and no command of the dashboard is called so; there are "
                        + $"{string.Join(", ", titles.Order(StringComparer.Ordinal))}"));
        }
    }

    [Fact]
    public void Every_picture_shows_what_there_is()
    {
        foreach (var picture in Picture.All)
        {
            Assert.True(
                File.Exists(Path.Combine(Picture.Folder, picture.File)),
                $"there is no docs/images/{picture.File}; docs/screenshots.sh takes it");
            Assert.True(
                picture.HashWhenTaken() == picture.Hash(sample.Uvlhub),
                $"docs/images/{picture.File} is older than what it shows ({picture.Shows}); docs/screenshots.sh takes it again");
        }

        Assert.All(
            TutorialPage.Languages.SelectMany(TutorialPage.ReadAll).SelectMany(page => page.Pictures),
            shown => Assert.Contains(shown.File, Picture.All.Select(picture => picture.File)));
    }

    [Fact(Timeout = 1_800_000)]
    public async Task Every_command_prints_what_stands_beneath_it()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var run = await TutorialRun.StartAsync(cancellation);
        await run.FollowAsync(TutorialPage.Languages[0], _ => Task.CompletedTask, cancellation);
    }

    private static HashSet<string> Methods(string code) => [.. MethodPattern().Matches(code).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"\.(\w+)\(")]
    private static partial Regex MethodPattern();

    private static string Number(string page) => Path.GetFileName(page).Split('-')[0];
}
