using Microsoft.Playwright;
using UvlhubAspire.EndToEnd.Tests.Tutorial;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Takes the pictures of the documentation; <c>docs/screenshots.sh</c> runs it, <c>./test</c> does not.</summary>
public sealed class Screenshots(RunningSample sample)
{
    [Fact(Explicit = true, Timeout = 300_000)]
    public async Task Of_the_README()
    {
        await using var browser = await Browser.LaunchAsync();

        var site = await browser.OpenAsync(sample.Uvlhub.SiteUrl.ToString());
        await TakeAsync(site, "site.png");

        var login = await sample.Uvlhub.DashboardLoginUrlAsync(TestContext.Current.CancellationToken);
        var dashboard = await browser.OpenAsync(login);
        await dashboard.GotoAsync(new Uri(new Uri(login), "/traces").ToString());
        await dashboard.GetByRole(AriaRole.Gridcell, new() { Name = "migrator: migrate" }).GetByText("migrator: migrate").ClickAsync();
        await Assertions.Expect(dashboard.GetByText("flask db upgrade").First).ToBeVisibleAsync();
        await TakeAsync(dashboard, "trace.png");
    }

    /// <summary>Follows the tutorial with its own names and ports, and takes each picture where it stands in the text.</summary>
    [Fact(Explicit = true, Timeout = 1_800_000)]
    public async Task Of_the_tutorial()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var browser = await Browser.LaunchAsync();
        await using var run = await TutorialRun.StartAsync(cancellation, Path.Combine(Path.GetTempPath(), "uvlhub-tutorial"));
        await run.FollowAsync(
            TutorialPage.Languages[0],
            async file =>
            {
                if (file is "site.png" or "trace.png")
                {
                    // Taken above.
                    return;
                }

                var isDashboard = file.EndsWith("dashboard.png", StringComparison.Ordinal);
                var page = await browser.OpenAsync(isDashboard ? await run.DashboardLoginUrlAsync(cancellation) : "http://localhost:5000/");
                if (isDashboard)
                {
                    await Browser.ExpectAsync(page.GetByText("localhost:5000").First);
                }

                await TakeAsync(page, file);
            },
            cancellation);
    }

    private async Task TakeAsync(IPage page, string file)
    {
        var picture = Picture.All.Single(picture => picture.File == file);
        await page.ScreenshotAsync(new() { Path = Path.Combine(Picture.Folder, file) });
        picture.NoteTaken(sample.Uvlhub);
    }
}
