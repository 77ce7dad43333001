using System.Net;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Containers that die, are stopped, or die again and again.</summary>
[Collection(ServicesGroup.Name)]
public sealed class RestartTests(RunningServices services)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Database, "MariaDB is killed while the site serves")]
    [Fact(Timeout = 120_000)]
    public async Task A_database_whose_process_is_killed_comes_back_and_the_site_answers_again()
    {
        using var client = services.Uvlhub.CreateClient();
        var engine = new InstanceOnEngine(services.Uvlhub.Instance);
        var (rows, containers) = (await engine.RowsAsync(), await engine.ContainersAsync());
        Assert.Contains("user1@example.com", rows, StringComparison.Ordinal);
        var started = await services.InspectAsync("mariadb_container", ".State.StartedAt");

        await services.CrashAsync("mariadb_container");

        await Proof.HappensAsync("it is started again by itself, the same container", async () =>
        {
            await Eventually.IsAsync(
                async () =>
                    (
                        Status: await services.InspectAsync("mariadb_container", ".State.Status"),
                        Started: await services.InspectAsync("mariadb_container", ".State.StartedAt")),
                state => state.Status == "running" && state.Started != started);
            Assert.Equal(containers, await engine.ContainersAsync());
        });
        await Proof.HappensAsync("the site answers again", () => Eventually.IsAsync(
            async () =>
            {
                using var answer = await client.GetAsync("/", Cancellation);
                return answer.StatusCode;
            },
            status => status == HttpStatusCode.OK));
        await services.Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("db", Cancellation);
        Proof.Data("a dump of all rows is the same", rows, await engine.RowsAsync());

        // The host's port led to it again, the dashboard tells of it, and so does its log.
        Assert.Equal(
            "1",
            await services.Uvlhub.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM user WHERE email = 'user1@example.com'", Cancellation));
        Assert.StartsWith("1, the last at ", services.PropertyOf("db", RestartSupervisor.RestartsProperty), StringComparison.Ordinal);
        Proof.Reads("db has died", await services.Uvlhub.LogAsync("db", Cancellation));
    }

    [Fault(FaultArea.Machine, "a container is stopped by hand")]
    [Fact(Timeout = 120_000)]
    public async Task What_is_stopped_by_hand_stays_stopped_until_it_is_started_by_hand()
    {
        var container = services.Uvlhub.ContainerOf("nginx_web_server_container");
        await Uvlhub.EngineAsync(TimeSpan.FromSeconds(30), Cancellation, "container", "stop", container);

        const string Said = "was stopped by hand and stays stopped";
        var said = await Eventually.IsAsync(
            () => services.Uvlhub.LogAsync("nginx", Cancellation), log => log.Contains(Said, StringComparison.Ordinal));
        Proof.Reads(Said, said);
        await Proof.HappensAsync("it stays stopped", async () =>
        {
            // Longer than the pause before a first and a second restart.
            await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
            Assert.Equal("exited", await services.InspectAsync("nginx_web_server_container", ".State.Status"));
        });

        await Proof.HappensAsync("until it is started by hand", async () =>
        {
            await services.CommandAsync("nginx", "start");
            await services.Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("nginx", Cancellation);
        });
    }

    [Fault(FaultArea.Machine, "a container dies again and again")]
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
        var deaths = new RestartPolicy().Limit + 1;
        Proof.Happens($"given up after {deaths} deaths in a row, with its last lines", () =>
        {
            Proof.Reads($"redis has died {deaths} times in a row", log);
            Assert.Contains(
                "Ready to accept connections", log[log.IndexOf("Its last lines", StringComparison.Ordinal)..], StringComparison.Ordinal);
            Assert.StartsWith("crash loop", services.PropertyOf("redis", RestartSupervisor.RestartsProperty), StringComparison.Ordinal);
        });

        await Proof.HappensAsync("it stays failed, however late the orchestrator tells of the last death", async () =>
        {
            var notifications = services.Uvlhub.App.ResourceNotifications;
            Assert.True(notifications.TryGetCurrentState("redis", out var failed));
            await notifications.PublishUpdateAsync(
                failed!.Resource, failed.ResourceId, snapshot => snapshot with { State = KnownResourceStates.Exited });
            await notifications.WaitForResourceAsync("redis", KnownResourceStates.FailedToStart, Cancellation);
        });

        await Proof.HappensAsync("Start in the dashboard tries again", async () =>
        {
            await services.CommandAsync("redis", "start");
            await services.Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("redis", Cancellation);
        });
    }
}
