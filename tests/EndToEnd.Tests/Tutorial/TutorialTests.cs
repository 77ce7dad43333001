using Xunit;

namespace UvlhubAspire.EndToEnd.Tests.Tutorial;

/// <summary>What <c>docs/tutorial</c> tells its readers to type is typed, and prints what the pages say.</summary>
public sealed class TutorialTests
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
        // A name on the internet, and mail at it.
        "domain",
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
                Assert.True(block.Content == translated.Content, $"{block.Page}:{block.Line} and {translated.Page}:{translated.Line} differ:\n{block.Content}\n{translated.Content}");
            }

            Assert.True(one.Blocks.Count == other.Blocks.Count, $"{one.Name} has {one.Blocks.Count} blocks, {other.Name} has {other.Blocks.Count}");
        }
    }

    [Fact]
    public void What_is_not_run_says_why() =>
        Assert.All(
            TutorialPage.Languages.SelectMany(TutorialPage.ReadAll).SelectMany(page => page.Blocks).Where(block => block.NotRun is not null),
            block => Assert.Contains(block.NotRun, s_reasonsNotToRun));

    [Fact(Timeout = 900_000)]
    public async Task Every_command_prints_what_stands_beneath_it()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var run = await TutorialRun.StartAsync(cancellation);
        foreach (var block in TutorialPage.ReadAll(TutorialPage.Languages[0]).SelectMany(page => page.Blocks).Where(block => block.NotRun is null))
        {
            if (block.File is { } file)
            {
                await run.WriteAsync(file, block.Text, cancellation);
            }
            else if (block.Language == "console")
            {
                foreach (var command in block.Commands())
                {
                    var (exitCode, printed) = await run.TypeAsync(command.Text, cancellation);
                    Assert.True(
                        exitCode == 0 && command.Allows(printed),
                        $"{command.At}: '{command.Text}' ended with {exitCode} and printed\n{printed}\nwhere the page says\n{string.Join('\n', command.Output)}");
                }
            }
        }
    }

    private static string Number(string page) => Path.GetFileName(page).Split('-')[0];
}
