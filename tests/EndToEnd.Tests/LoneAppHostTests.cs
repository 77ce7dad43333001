using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What is done to a running AppHost from outside. Each test finds the site running, and the rows of the one before.</summary>
public sealed class LoneAppHostTests(LoneAppHost host) : IClassFixture<LoneAppHost>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Checkout, "the checkout's path has spaces, quotes and other alphabets", Happens = "the site comes up as from any other", Data = "the first page shows them")]
    [Fault(FaultArea.Checkout, "passwords have every printable character, and .env Windows line ends", Happens = "they reach MariaDB and the site as they are", Data = "the first page shows them")]
    [Fact(Timeout = 300_000)]
    public async Task A_checkout_with_an_inconvenient_path_and_passwords_is_served()
    {
        Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);
        Assert.Equal(LoneAppHost.Password, await host.InsideAsync("web_app_container", "printenv", "MARIADB_PASSWORD"));
        Assert.Equal(LoneAppHost.Password, await host.InsideAsync("mariadb_container", "printenv", "MARIADB_ROOT_PASSWORD"));
        Assert.DoesNotContain(LoneAppHost.Password, (await host.RunningAsync()).Output, StringComparison.Ordinal);
    }

    [Fault(FaultArea.Checkout, "the checkout cannot be written", Happens = "a site with rows comes up; only the seeder and uploads write there", Data = "a dump of all rows is the same")]
    [Fact(Timeout = 300_000)]
    public async Task A_checkout_that_cannot_be_written_is_served()
    {
        var running = await host.RunningAsync();
        var rows = await host.RowsAsync();
        await running.DisposeAsync();
        try
        {
            Assert.SkipUnless(await host.MakeReadOnlyAsync(), "only root can mount a folder as read-only");

            Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);

            Assert.Throws<IOException>(() => File.WriteAllText(host.Checkout.File("x"), "x"));
            Assert.Equal(rows, await host.RowsAsync());
        }
        finally
        {
            await (await host.RunningAsync()).DisposeAsync();
            await host.MakeWritableAsync();
        }
    }

    [Fault(FaultArea.Machine, "the AppHost is killed (SIGKILL) and started again at once",
        Happens = "the new one waits until the old one's orchestrator has cleared up; no container, process or name is left over", Data = "a dump of all rows is the same")]
    [Fact(Timeout = 300_000)]
    public async Task A_killed_AppHost_leaves_nothing_that_hinders_the_next()
    {
        var killed = await host.RunningAsync();
        var rows = await host.RowsAsync();
        var containers = await host.ContainersAsync();
        var orchestrator = killed.Orchestrator();
        Assert.NotEmpty(orchestrator);

        killed.Kill();
        await killed.EndAsync(Cancellation);
        Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);

        Assert.Equal(rows, await host.RowsAsync());
        var again = await host.ContainersAsync();
        Assert.Equal(containers.Keys.Order(), again.Keys.Order());
        Assert.Empty(containers.Values.Intersect(again.Values));
        await Eventually.TrueAsync(() => Task.FromResult(!orchestrator.Any(id => Directory.Exists($"/proc/{id}"))));

        // The killed one made the network, and could not remove it.
        Assert.True(await host.HasNetworkAsync());
        await (await host.RunningAsync()).DisposeAsync();
        Assert.False(await host.HasNetworkAsync());
    }

    [Fault(FaultArea.Machine, "power cut: the AppHost, its orchestrator and all containers are killed at once", Happens = "the next start removes what was left, and says so", Data = "a dump of all rows is the same")]
    [Fact(Timeout = 300_000)]
    public async Task After_a_power_cut_the_next_start_clears_up_and_has_all_rows()
    {
        var killed = await host.RunningAsync();
        var rows = await host.RowsAsync();
        var containers = await host.ContainersAsync();

        var orchestrator = killed.Orchestrator();
        killed.Kill();
        foreach (var process in orchestrator)
        {
            LoneAppHost.Crash(process);
        }

        await host.CrashContainersAsync();
        await killed.EndAsync(Cancellation);
        Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);

        Assert.Equal(rows, await host.RowsAsync());
        Assert.Equal(containers.Keys.Order(), (await host.ContainersAsync()).Keys.Order());
        Proof.Reads($"Removing the container {host.Instance}_mariadb_container: the run that made it (orchestrator process ", (await host.RunningAsync()).Output);
    }

    [Fault(FaultArea.Engine, "the engine is stopped underneath and started again", Happens = "the cause stands on the console and at each container; all of them are started again as soon as the engine answers, and also later when one dies",
        Data = "a dump of all rows is the same")]
    [Fact(Timeout = 300_000)]
    public async Task What_ran_when_the_engine_stopped_runs_again_when_it_is_back()
    {
        var process = await host.RunningAsync();
        var rows = await host.RowsAsync();
        var containers = await host.ContainersAsync();

        host.Engine.Cut();
        await host.CrashContainersAsync();
        await process.PrintedAsync("The container engine is gone", Cancellation);
        host.Engine.Restore();
        await process.PrintedAsync("The container engine is back", Cancellation);

        Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);
        Assert.Equal(rows, await host.RowsAsync());
        Assert.Equal(containers, await host.ContainersAsync());
        Proof.Reads("The container engine is gone ('docker version': Cannot connect to the Docker daemon", process.Output);

        await host.CrashContainersAsync();
        Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);
        Assert.Equal(containers, await host.ContainersAsync());
    }

    [Fault(FaultArea.Machine, "two AppHosts on one checkout", Happens = "the second is refused with who has the names, and how to run beside it; the first goes on", Data = "a dump of all rows is the same")]
    [Fact(Timeout = 300_000)]
    public async Task A_second_AppHost_on_one_checkout_is_refused()
    {
        await host.RunningAsync();
        var rows = await host.RowsAsync();

        await using var second = host.Start();

        Assert.Equal(2, await second.EndAsync(Cancellation));
        Proof.Reads($"the name of db's container, {host.Instance}_mariadb_container, is in use by a container that is running; another AppHost (orchestrator process ", second.Output);
        Assert.DoesNotContain("   at ", second.Output, StringComparison.Ordinal);
        Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);
        Assert.Equal(rows, await host.RowsAsync());
    }
}
