using Microsoft.Playwright;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Debian's Chromium, driven by Playwright; no browser is downloaded.</summary>
public sealed class Browser : IAsyncDisposable
{
    // In milliseconds.
    private const float Limit = 30_000;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    public static async Task<Browser> LaunchAsync()
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--no-first-run",
            ],
        });
        return new Browser(playwright, browser);
    }

    public async Task<IPage> OpenAsync(string url)
    {
        var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = 1360, Height = 800 } });
        page.SetDefaultTimeout(Limit);
        await page.GotoAsync(url);
        return page;
    }

    /// <summary>
    /// Opens the dashboard. Its page comes to life over a connection that Aspire's code opens once; a page that has not is loaded again,
    /// as a person would.
    /// </summary>
    /// <param name="login">The address with the token.</param>
    public async Task<IPage> OpenDashboardAsync(string login)
    {
        var page = await OpenAsync(login);
        var alive = page.GetByText("migrator", new() { Exact = true }).First;
        try
        {
            await ExpectAsync(alive);
        }
        catch (PlaywrightException)
        {
            await page.ReloadAsync();
            await ExpectAsync(alive);
        }

        return page;
    }

    /// <summary>Expects that something is seen without more ado: nobody reloads the page.</summary>
    public static Task ExpectAsync(ILocator seen) => Assertions.Expect(seen).ToBeVisibleAsync(new() { Timeout = Limit });

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
