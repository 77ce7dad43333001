using Microsoft.Playwright;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Takes the pictures of README.md; <c>docs/screenshots.sh</c> runs it, <c>./test</c> does not.</summary>
public sealed class Screenshots(RunningSample sample)
{
    [Fact(Explicit = true, Timeout = 300_000)]
    public async Task Take()
    {
        var folder = Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "docs", "images");
        Directory.CreateDirectory(folder);
        await using var browser = await Browser.LaunchAsync();

        var site = await browser.OpenAsync(sample.Uvlhub.SiteUrl.ToString());
        await SaveAsync(site, "site");

        var login = await sample.Uvlhub.DashboardLoginUrlAsync(TestContext.Current.CancellationToken);
        var dashboard = await browser.OpenAsync(login);
        await Assertions.Expect(dashboard.GetByText("Finished").First).ToBeVisibleAsync();
        await SaveAsync(dashboard, "dashboard");

        await dashboard.GotoAsync(new Uri(new Uri(login), "/traces").ToString());
        await dashboard.GetByRole(AriaRole.Gridcell, new() { Name = "migrator: migrate" }).GetByText("migrator: migrate").ClickAsync();
        await Assertions.Expect(dashboard.GetByText("flask db upgrade").First).ToBeVisibleAsync();
        await SaveAsync(dashboard, "trace");

        Task SaveAsync(IPage page, string name) => page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}.png") });
    }
}
