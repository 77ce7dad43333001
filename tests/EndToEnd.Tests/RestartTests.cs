using System.Net;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Restart;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Containers that die, are stopped, or die again and again.</summary>
[Collection(ServicesGroup.Name)]
public sealed class RestartTests(RunningServices services)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_database_whose_process_is_killed_comes_back_and_the_site_answers_again()
    {
        using var client = services.Uvlhub.CreateClient();
        var started = await services.InspectAsync("mariadb_container", ".State.StartedAt");

        await services.CrashAsync("mariadb_container");

        await Eventually.TrueAsync(async () => await services.InspectAsync("mariadb_container", ".State.Status") == "running"
            && await services.InspectAsync("mariadb_container", ".State.StartedAt") != started);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await client.GetAsync("/", Cancellation);
            return answer.StatusCode == HttpStatusCode.OK;
        });
        await services.Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("db", Cancellation);

        // The host's port led to it again, the dashboard tells of it, and so does its log.
        Assert.Equal("1", await services.Uvlhub.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM user WHERE email = 'user1@example.com'", Cancellation));
        Assert.StartsWith("1, the last at ", services.PropertyOf("db", RestartSupervisor.RestartsProperty), StringComparison.Ordinal);
        Assert.Contains("db has died", await services.Uvlhub.LogAsync("db", Cancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task What_is_stopped_by_hand_stays_stopped_until_it_is_started_by_hand()
    {
        await Uvlhub.Engine.RunAsync(TimeSpan.FromSeconds(30), Cancellation, "container", "stop", services.Uvlhub.ContainerOf("nginx_web_server_container"));

        await Eventually.TrueAsync(async () =>
            (await services.Uvlhub.LogAsync("nginx", Cancellation)).Contains("was stopped by hand and stays stopped", StringComparison.Ordinal));
        await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
        Assert.Equal("exited", await services.InspectAsync("nginx_web_server_container", ".State.Status"));

        await services.CommandAsync("nginx", "start");
        await services.Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("nginx", Cancellation);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_crash_loop_ends_with_its_last_lines_and_can_be_started_by_hand()
    {
        while (services.StateOf("redis") != KnownResourceStates.FailedToStart)
        {
            if (await services.InspectAsync("redis_container", ".State.Status") == "running")
            {
                await services.CrashAsync("redis_container");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), Cancellation);
        }

        var log = await services.Uvlhub.LogAsync("redis", Cancellation);
        Assert.Contains("redis has died 6 times in a row", log, StringComparison.Ordinal);
        Assert.Contains("Ready to accept connections", log[log.IndexOf("Its last lines", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.StartsWith("crash loop", services.PropertyOf("redis", RestartSupervisor.RestartsProperty), StringComparison.Ordinal);

        await services.CommandAsync("redis", "start");
        await services.Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("redis", Cancellation);
    }
}
