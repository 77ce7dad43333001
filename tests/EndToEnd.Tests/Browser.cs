using Microsoft.Playwright;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Debian's Chromium, driven by Playwright; no browser is downloaded.</summary>
public sealed class Browser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    public static async Task<Browser> LaunchAsync()
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
        });
        return new Browser(playwright, browser);
    }

    public async Task<IPage> OpenAsync(string url)
    {
        var page = await _browser.NewPageAsync(new() { ViewportSize = new() { Width = 1360, Height = 800 } });
        page.SetDefaultTimeout(30_000);
        await page.GotoAsync(url);
        return page;
    }

    /// <summary>
    /// Expects something to be seen, and reloads the page in between as a person would: on a busy machine the dashboard's
    /// connection can begin before its scripts are there, and then nothing more appears.
    /// </summary>
    public static async Task ExpectAsync(IPage page, ILocator seen)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await Assertions.Expect(seen).ToBeVisibleAsync(new() { Timeout = 10_000 });
                return;
            }
            catch (PlaywrightException) when (attempt < 4)
            {
                await page.ReloadAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
