using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The certificate of a Production with TLS: how it comes, and how it is replaced.</summary>
[Collection(ProductionGroup.Name)]
public sealed class ProductionCertificateTests(RunningProduction production)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private DistributedApplication App => production.Uvlhub.App;

    [Fact(Timeout = 120_000)]
    public async Task It_is_issued_and_served_and_the_dashboard_shows_until_when()
    {
        await App.ResourceNotifications.WaitForResourceHealthyAsync("certbot", Cancellation);
        await production.ServesAsync();
        var shown = await App.ResourceNotifications.WaitForResourceAsync(
            "certbot", state => Property(state, "certificate.until") is not null, Cancellation);
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d UTC$", Property(shown, "certificate.next"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Port_80_sends_everybody_to_the_name_with_tls()
    {
        await production.ServesAsync();
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        client.BaseAddress = production.Uvlhub.EndpointOf("nginx", "http");
        using var answer = await client.GetAsync("/login?next=/", Cancellation);
        Assert.Equal(new Uri(production.Site, "/login?next=/"), answer.Headers.Location);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_renewal_fails_no_request()
    {
        await production.ServesAsync();
        var before = await production.ServedAsync();
        await using var load = production.Load();
        var result = await RenewAsync();
        Assert.True(result.Success, result.Message);
        await Eventually.IsAsync(production.ServedAsync, serial => serial != before, what: "another certificate");
        await load.NothingHasFailedAsync(atLeast: 20);
    }

    [Fault(FaultArea.Production, "the renewal of the certificate fails")]
    [Fact(Timeout = 120_000)]
    public async Task A_renewal_that_fails_leaves_the_certificate_from_before()
    {
        const string cause = "Connection refused";
        await production.ServesAsync();
        var before = await production.ServedAsync();
        await using (await production.NobodyAnswersAsync("certbot_container", "pebble"))
        {
            var result = await RenewAsync();
            Assert.False(result.Success);
            Proof.Reads(cause, result.Message ?? "");
            await Proof.HappensAsync("the old certificate is still served", async () =>
                Assert.Equal(before, await production.ServedAsync()));
            await Proof.HappensAsync("certbot is unhealthy", () => HealthAsync(HealthStatus.Unhealthy));
            await Proof.HappensAsync("its log has the cause", async () =>
                Assert.Contains(cause, await production.Uvlhub.LogAsync("certbot", Cancellation), StringComparison.Ordinal));
        }

        var again = await RenewAsync();
        Assert.True(again.Success, again.Message);
        await Proof.HappensAsync("when the authority is back, so is certbot", () => HealthAsync(HealthStatus.Healthy));
    }

    private Task<ExecuteCommandResult> RenewAsync() =>
        App.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync("certbot", "renew", Cancellation);

    private Task HealthAsync(HealthStatus status) =>
        App.ResourceNotifications.WaitForResourceAsync("certbot", state => state.Snapshot.HealthStatus == status, Cancellation);

    private static string? Property(ResourceEvent state, string name) =>
        state.Snapshot.Properties.FirstOrDefault(property => property.Name == name)?.Value as string;
}
