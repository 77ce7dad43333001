using Microsoft.Playwright;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// What runs when everything else is done. A page of the dashboard's comes to life over a connection that has limits of its own, which a
/// machine that runs four sites at the same time does not keep.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class QuietGroup
{
    public const string Name = "Quiet";
}

/// <summary>What a person sees in a browser: the site, and the dashboard beside it.</summary>
[Collection(QuietGroup.Name)]
public sealed class BrowserTests(RunningSample sample) : IAsyncLifetime
{
    private Browser? _browser;

    public async ValueTask InitializeAsync() => _browser = await Browser.LaunchAsync();

    public ValueTask DisposeAsync() => _browser?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact(Timeout = 120_000)]
    public async Task The_sites_page_lists_the_models_and_opens_one()
    {
        var page = await _browser!.OpenAsync(sample.Uvlhub.SiteUrl.ToString());
        await page.GetByRole(AriaRole.Link, new() { Name = "Coffee machine" }).First.ClickAsync();
        await Browser.ExpectAsync(page.GetByText("namespace"));
    }

    [Fact(Timeout = 120_000)]
    public async Task The_dashboard_shows_every_resource()
    {
        var login = await sample.Uvlhub.DashboardLoginUrlAsync(TestContext.Current.CancellationToken);
        var page = await _browser!.OpenDashboardAsync(login);
        foreach (var resource in (string[])["db", "uvlhubdb", "uvlhubdb-test", "rosemary", "migrator", "web"])
        {
            await Browser.ExpectAsync(page.GetByText(resource, new() { Exact = true }).First);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task The_dashboard_shows_the_migrators_log()
    {
        var login = await sample.Uvlhub.DashboardLoginUrlAsync(TestContext.Current.CancellationToken);
        var page = await _browser!.OpenDashboardAsync(login);
        await page.GotoAsync(new Uri(new Uri(login), "/consolelogs/resource/migrator").ToString());
        await Browser.ExpectAsync(page.GetByText("is at the checkout's head").First);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_dashboard_shows_the_migrators_trace()
    {
        var login = await sample.Uvlhub.DashboardLoginUrlAsync(TestContext.Current.CancellationToken);
        var page = await _browser!.OpenDashboardAsync(login);
        await page.GotoAsync(new Uri(new Uri(login), "/traces").ToString());
        await Browser.ExpectAsync(page.GetByRole(AriaRole.Gridcell, new() { Name = "migrator: migrate" }));
    }
}
