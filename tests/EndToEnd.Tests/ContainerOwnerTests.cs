using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Who has a container's name, asked of the real engine.</summary>
[Collection(ServicesGroup.Name)]
public sealed class ContainerOwnerTests(RunningServices services)
{
    private const string OrchestratorLabel = "com.microsoft.developer.usvc-dev.creatorProcessId";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_running_instance_is_recognised_by_its_live_orchestrator()
    {
        // Together with another name, as a start asks.
        var (name, free) = (services.Uvlhub.ContainerOf("redis_container"), services.Uvlhub.ContainerOf("nobody"));
        var owner = Assert.Single(await ContainerOwner.FindAsync(Uvlhub.Engine, [free, name], Cancellation));
        Assert.Equal(name, owner.Name);
        Assert.True(owner is { IsLiveOrchestrator: true, State: "running" });
        Assert.Contains("./run --stop", owner.Remedy, StringComparison.Ordinal);
    }

    [Fault(FaultArea.Machine, "a killed run's process number belongs to another program")]
    [Fact(Timeout = 60_000)]
    public async Task A_container_of_a_run_that_was_killed_is_nobodys()
    {
        // This test's own process has the number, and is no orchestrator: numbers are given out again.
        var owner = await OwnerAsync($"{OrchestratorLabel}={Environment.ProcessId}");
        Proof.Happens(
            "its container counts as left behind",
            () => Assert.Equal((Environment.ProcessId, false), (owner?.Orchestrator, owner?.IsLiveOrchestrator)));
    }

    // The process of the number cannot be seen from here: by the engine's socket in a container, by DOCKER_HOST, from another WSL.
    [Theory(Timeout = 60_000)]
    [InlineData("another machine pid:[1]", false)]
    [InlineData("here", true)]
    [InlineData("", true)]
    public async Task What_runs_is_left_behind_only_if_its_AppHost_would_be_seen(string place, bool isLeftBehind)
    {
        var owner = await OwnerAsync(
            $"{OrchestratorLabel}={int.MaxValue}", runs: true, $"{ProcessPlace.Label}={(place == "here" ? ProcessPlace.Current : place)}");
        Assert.Equal(("running", isLeftBehind), (owner?.State, owner?.IsLeftBehind));
        Assert.Equal(!isLeftBehind, owner!.Remedy.Contains("shares this engine", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Every_container_says_where_its_AppHost_runs()
    {
        var name = services.Uvlhub.ContainerOf("redis_container");
        Assert.Equal(ProcessPlace.Current, Assert.Single(await ContainerOwner.FindAsync(Uvlhub.Engine, [name], Cancellation)).Place);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("com.docker.compose.project=docker", "docker compose -p docker down")]
    [InlineData("somebody=else", "docker rm -f ")]
    public async Task What_is_not_ours_is_left_alone_with_the_command_that_ends_it(string label, string command)
    {
        var owner = await OwnerAsync(label);
        Assert.Null(owner?.Orchestrator);
        Assert.Contains(command, owner?.Remedy, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_name_that_is_free_has_no_owner() =>
        Assert.Empty(await ContainerOwner.FindAsync(Uvlhub.Engine, [services.Uvlhub.ContainerOf("nobody")], Cancellation));

    private async Task<ContainerOwner?> OwnerAsync(string label, bool runs = false, string? another = null)
    {
        var name = services.Uvlhub.ContainerOf("left_behind");
        var created = await Uvlhub.Engine.RunAsync(
            s_limit, Cancellation,
            [
                "container", .. runs ? new[] { "run", "--detach" } : ["create"], "--name", name, "--label", label,
                .. another is null ? [] : new[] { "--label", another }, await services.InspectAsync("redis_container", ".Config.Image"),
            ]);
        Assert.True(created.Succeeded, created.Error);
        try
        {
            return (await ContainerOwner.FindAsync(Uvlhub.Engine, [name], Cancellation)).SingleOrDefault();
        }
        finally
        {
            await Uvlhub.EngineAsync(s_limit, CancellationToken.None, "container", "rm", "--force", name);
        }
    }
}
