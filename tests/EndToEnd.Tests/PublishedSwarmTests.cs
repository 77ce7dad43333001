using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// The published stack in a swarm of two nodes: deploy, spread, update, roll back, drain, lose. The first test sees the
/// stack as it was first deployed, and the last loses a node; those between bring it to where they begin.
/// </summary>
[TestMethodOrderer(typeof(InOrderOfTheFile))]
public sealed class PublishedSwarmTests(RunningSwarm swarm) : IClassFixture<RunningSwarm>
{
    // Much less than the minute that nginx waits for a connection unless it is told otherwise.
    private static readonly TimeSpan s_afterTheLoss = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task At_first_the_site_runs_beside_its_uploads_alone_and_both_nodes_lead_to_it()
    {
        await RunningSwarm.AnswersAsync(swarm.Manager);
        await RunningSwarm.AnswersAsync(swarm.Worker);
        Assert.NotEmpty(await RunningSwarm.HealthyAsync(swarm.Manager));
        Assert.Empty(await RunningSwarm.HealthyAsync(swarm.Worker));
        Assert.Equal("004", await swarm.SqlAsync("SELECT version_num FROM alembic_version"));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_code_has_no_capability_and_can_get_none_though_a_swarm_passes_over_the_option()
    {
        var replica = (await RunningSwarm.HealthyAsync(swarm.Manager))[0].Split(' ')[0];
        // The first process is the engine's own.
        var status = await swarm.ManageAsync(
            "exec", replica, "sh", "-c",
            "for process in /proc/[0-9]*; do [ $process != /proc/1 ] && grep -q [g]unicorn $process/cmdline && cat $process/status && break; done");
        Assert.Equal(ContainerPower.None, ContainerPower.Read(status));
    }

    [Fact(Timeout = 240_000)]
    public async Task An_update_that_spreads_the_site_over_both_nodes_fails_no_request()
    {
        Assert.Empty(await RunningSwarm.HealthyAsync(swarm.Worker));
        await using var load = new Load(swarm.Manager.Address);
        await using var other = new Load(swarm.Worker.Address);
        await swarm.SpreadAsync();
        await load.NothingHasFailedAsync();
        await other.NothingHasFailedAsync();
        await load.UploadsAreThereAsync();
        Assert.NotEmpty(await RunningSwarm.HealthyAsync(swarm.Worker));
    }

    [Fact(Timeout = 240_000)]
    public async Task Replicas_on_two_nodes_have_their_uploads_in_common()
    {
        await OnBothNodesAsync();
        var (writer, reader) = (await IdAsync(swarm.Manager), await IdAsync(swarm.Worker));
        await swarm.Manager.RunAsync(Cancellation, "docker", "exec", writer, "sh", "-c", "echo shared >/app/uploads/a-file");
        Assert.Equal("shared", await swarm.Worker.RunAsync(Cancellation, "docker", "exec", reader, "cat", "/app/uploads/a-file"));

        static async Task<string> IdAsync(InnerEngine node) => (await RunningSwarm.HealthyAsync(node))[0].Split(' ')[0];
    }

    [Fault(FaultArea.Production, "a broken release (swarm)")]
    [Fact(Timeout = 240_000)]
    public async Task A_broken_release_is_rolled_back_and_fails_no_request()
    {
        await swarm.SpreadAsync();
        await using var load = new Load(swarm.Manager.Address);
        await using var other = new Load(swarm.Worker.Address);
        // Starts, and never becomes healthy.
        await swarm.ManageAsync("service", "update", "--detach", "--args", "sh -c 'exit 1'", $"{swarm.Name}_web");
        await Proof.HappensAsync("rolled back by itself", async () =>
        {
            await swarm.UpdateStateAsync("rollback_completed");
            Assert.Equal(RunningSwarm.Replicas, (await swarm.HealthyAsync()).Count);
        });
        await Proof.HappensAsync("no request fails meanwhile", async () =>
        {
            await load.NothingHasFailedAsync();
            await other.NothingHasFailedAsync();
        });
        await Proof.DataAsync("what people upload meanwhile is there", load.UploadsAreThereAsync);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_node_that_is_drained_for_maintenance_fails_no_request()
    {
        await OnBothNodesAsync();
        await using var load = new Load(swarm.Manager.Address);
        await swarm.ManageAsync("node", "update", "--availability", "drain", $"{swarm.Name}_worker");
        await Eventually.IsAsync(
            () => RunningSwarm.HealthyAsync(swarm.Manager), healthy => healthy.Count == RunningSwarm.Replicas,
            what: "all replicas on the other node");
        await Eventually.IsAsync(
            () => swarm.Worker.RunAsync(
                Cancellation, "docker", "ps", "--quiet"), containers => containers.Length == 0, what: "an empty node");
        await load.NothingHasFailedAsync();
        await load.UploadsAreThereAsync();

        await swarm.ManageAsync("node", "update", "--availability", "active", $"{swarm.Name}_worker");
        await RunningSwarm.AnswersAsync(swarm.Worker);
    }

    [Fault(FaultArea.Production, "a replica is killed (swarm)")]
    [Fact(Timeout = 120_000)]
    public async Task A_replica_that_is_killed_is_replaced()
    {
        await swarm.SpreadAsync();
        var lost = (await RunningSwarm.HealthyAsync(swarm.Manager))[0];
        await swarm.ManageAsync("kill", lost.Split(' ')[0]);
        await Proof.HappensAsync("another takes its place", () => Eventually.IsAsync(
            swarm.HealthyAsync, healthy => healthy.Count == RunningSwarm.Replicas && !healthy.Contains(lost),
            what: "as many replicas as before"));
    }

    [Fault(FaultArea.Production, "MariaDB's task is killed (swarm)")]
    [Fact(Timeout = 120_000)]
    public async Task Rows_outlive_a_killed_database_and_the_site_answers_again()
    {
        await swarm.SpreadAsync();
        await UploadAsync();
        var rows = await RowsAsync();
        var killed = await swarm.DatabaseAsync();
        await swarm.ManageAsync("kill", killed);
        await Proof.HappensAsync("another takes its place", () => Eventually.IsAsync(
            swarm.DatabaseAsync, database => database.Length > 0 && database != killed, what: "another database"));
        await Proof.HappensAsync("the site answers again", () => RunningSwarm.AnswersAsync(swarm.Manager));
        Proof.Data("every user and feature model is there", rows, await RowsAsync());
    }

    [Fault(FaultArea.Production, "a node without the data is lost (swarm)")]
    [Fact(Timeout = 240_000)]
    public async Task The_other_node_answers_every_request_after_a_node_without_the_data_is_lost()
    {
        await OnBothNodesAsync();
        await UploadAsync();
        var rows = await RowsAsync();
        await swarm.Worker.KillAsync(Cancellation);
        await Proof.DataAsync("every user and feature model is there", async () => Assert.Equal(rows, await RowsAsync()));
        await using var load = new Load(swarm.Manager.Address, patience: s_afterTheLoss);
        await Proof.HappensAsync("the other node takes its replicas over", () => Eventually.IsAsync(
            () => RunningSwarm.HealthyAsync(swarm.Manager), healthy => healthy.Count == RunningSwarm.Replicas,
            what: "as many replicas as before"));
        await Proof.HappensAsync("every request after that is answered by the other node", () => load.NothingHasFailedAsync(atLeast: 20));
    }

    private async Task OnBothNodesAsync()
    {
        await swarm.SpreadAsync();
        if ((await RunningSwarm.HealthyAsync(swarm.Worker)).Count == 0)
        {
            // A node that has come back is given replicas only when some are started.
            await swarm.ManageAsync("service", "update", "--force", "--quiet", $"{swarm.Name}_web");
        }

        Assert.NotEmpty(await RunningSwarm.HealthyAsync(swarm.Worker));
    }

    private async Task UploadAsync()
    {
        using var visitor = new Visitor(swarm.Manager.Address);
        await visitor.SignUpAsync(Cancellation);
        await visitor.UploadAsync(Cancellation);
    }

    private Task<string> RowsAsync() => swarm.SqlAsync("SELECT * FROM user ORDER BY id; SELECT * FROM feature_model ORDER BY id");
}
