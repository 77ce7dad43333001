using System.Net;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What a developer's edit does to the site that runs.</summary>
[Collection(EditedGroup.Name)]
public sealed class EditTests(EditedSample sample)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => sample.Uvlhub;

    [Fact(Timeout = 60_000)]
    public async Task An_edited_template_shows_without_a_restart()
    {
        const string marker = "An edit that a test made";
        var started = await StartedAsync();
        var template = sample.Checkout.File("app/templates/base.html");
        var text = await File.ReadAllTextAsync(template, Cancellation);
        await File.WriteAllTextAsync(template, text.Replace("</footer>", $" {marker}</footer>", StringComparison.Ordinal), Cancellation);

        using var client = Uvlhub.CreateClient();
        await Eventually.TrueAsync(async () => (await client.GetStringAsync("/", Cancellation)).Contains(marker, StringComparison.Ordinal));
        Assert.Equal(started, await StartedAsync());
    }

    [Fact(Timeout = 60_000)]
    public async Task An_edited_Python_file_is_loaded_without_a_restart()
    {
        const string marker = "edited-by-a-test";
        var started = await StartedAsync();
        await sample.Checkout.AddPageAsync("public", marker, $"return \"{marker}\"");

        using var client = Uvlhub.CreateClient();
        await Eventually.TrueAsync(async () => await client.GetStringAsync($"/{marker}", Cancellation) == marker);
        Assert.Equal(started, await StartedAsync());
    }

    [Fact(Timeout = 60_000)]
    public async Task A_request_that_fails_is_an_error_with_the_log_record_that_belongs_to_it()
    {
        const string path = "broken-by-a-telemetry-test";
        await sample.Checkout.AddPageAsync(
            "team", path,
            "import logging", "logging.getLogger(\"a.test\").warning(\"about to break\")", "raise RuntimeError(\"on purpose\")");

        using var client = Uvlhub.CreateClient();
        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        await Eventually.IsAsync(
            async () => (await client.GetAsync($"/{path}", Cancellation)).StatusCode,
            status => status == HttpStatusCode.InternalServerError,
            what: "the page that breaks");

        // OTLP's 2 is 'error'.
        var request = await dashboard.SpanAsync("web", span => span.Name == $"GET /{path}" && span.Status == "2", Cancellation);
        var record = await dashboard.LogRecordAsync("web", record => record.Text == "about to break", Cancellation);
        Assert.Equal(request.TraceId, record.TraceId);
    }

    // When the container's process began: that it was not restarted.
    private Task<string> StartedAsync() => Uvlhub.InspectAsync("web_app_container", "{{.Id}} {{.State.StartedAt}}", Cancellation);
}
