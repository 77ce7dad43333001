using System.Net;
using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A start that never ends, because a service waits for one that cannot start. Whatever watches over the others works all
/// the same: here, in <see cref="ServicesTests"/> and <see cref="RestartTests"/>, and in the tests of Production.
/// </summary>
[Collection(ServicesGroup.Name)]
public sealed class UnfinishedStartTests(RunningServices services)
{
    private const string Cause = "one service cannot start, and another waits for it";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Engine, Cause)]
    [Fact(Timeout = 120_000)]
    public async Task A_site_that_is_killed_comes_back_and_nginx_leads_to_it()
    {
        Assert.False(services.Uvlhub.HasStarted);
        using var client = new HttpClient { BaseAddress = services.NginxUrl, Timeout = TimeSpan.FromSeconds(10) };
        var started = await services.InspectAsync("web_app_container", ".State.StartedAt");

        await services.CrashAsync("web_app_container");

        await Proof.HappensAsync("a killed site is started again, and nginx leads to it", async () =>
        {
            await Eventually.IsAsync(
                () => services.InspectAsync("web_app_container", ".State.StartedAt"), again => again != started);
            await Eventually.IsAsync(
                async () =>
                {
                    using var answer = await client.GetAsync("/", Cancellation);
                    return answer.StatusCode;
                },
                status => status == HttpStatusCode.OK);
        });
    }

    [Fault(FaultArea.Engine, Cause)]
    [Fact(Timeout = 120_000)]
    public async Task Who_waits_says_for_what_and_goes_on_when_that_is_started_by_hand()
    {
        var waiting = Nowhere.WaitingFor(RunningServices.Later);
        var said = $"{waiting} waits for {RunningServices.Later}, which is FailedToStart";
        var log = await Eventually.IsAsync(
            () => services.Uvlhub.LogAsync(waiting, Cancellation), text => text.Contains(said, StringComparison.Ordinal));
        Proof.Reads(said, log);
        Assert.Contains($"{Nowhere.ImageOf(RunningServices.Later)} cannot be pulled: ", log, StringComparison.Ordinal);
        Assert.Equal(KnownResourceStates.Waiting, services.StateOf(waiting));

        await Uvlhub.EngineAsync(
            TimeSpan.FromSeconds(30), Cancellation, "image", "tag", services.Image, Nowhere.ImageOf(RunningServices.Later));
        try
        {
            await services.CommandAsync(RunningServices.Later, "start");
            await Proof.HappensAsync(
                "it goes on by itself when that is started by hand",
                () => services.Uvlhub.App.ResourceNotifications.WaitForResourceAsync(
                    waiting, KnownResourceStates.Running, Cancellation));
        }
        finally
        {
            await Uvlhub.EngineAsync(
                TimeSpan.FromSeconds(30), CancellationToken.None, "image", "rm", Nowhere.ImageOf(RunningServices.Later));
        }

        Assert.False(services.Uvlhub.HasStarted);
    }
}
