using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// What is done to a running AppHost from outside. Each test begins with a site that runs, and adds to its database what it
/// then looks for.
/// </summary>
public sealed class LoneAppHostTests(LoneAppHost host) : IClassFixture<LoneAppHost>, IAsyncDisposable
{
    private const string Path = "the checkout's path has spaces, quotes and other alphabets";
    private const string Passwords = "passwords have every printable character, and .env Windows line ends";
    private const string AllRows = "a dump of all rows is the same";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>What a failed test has left in pieces is no beginning for the next one.</summary>
    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            host.Engine.Cut();
            host.Engine.Restore();
            await host.StopAsync();
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task At_the_moment_in_which_it_says_ready_the_first_request_is_answered()
    {
        await (await host.RunningAsync()).DisposeAsync();

        await host.RunningAsync();
        await IsServedAsync();
    }

    [Fault(FaultArea.Checkout, Path)]
    [Fault(FaultArea.Checkout, Passwords)]
    [Fact(Timeout = 300_000)]
    public async Task A_checkout_with_an_inconvenient_path_and_passwords_is_served()
    {
        var process = await host.RunningAsync();
        await Proof.HappensAsync("the first page shows the rows of its seeder", IsServedAsync);
        await Proof.HappensAsync("they reach MariaDB and the site as they are", async () =>
        {
            Assert.Equal(LoneAppHost.Password, await host.OnEngine.InsideAsync(InstanceOnEngine.Site, "printenv", "MARIADB_PASSWORD"));
            var root = await host.OnEngine.InsideAsync(InstanceOnEngine.Database, "printenv", "MARIADB_ROOT_PASSWORD");
            Assert.Equal(LoneAppHost.Password, root);
        }, Passwords);
        Assert.DoesNotContain(LoneAppHost.Password, process.Output, StringComparison.Ordinal);
    }

    [Fault(FaultArea.Checkout, "the checkout cannot be written")]
    [Fact(Timeout = 300_000)]
    public async Task A_checkout_that_cannot_be_written_is_served()
    {
        await host.RunningAsync();
        var rows = await host.RowsWithANewOneAsync();
        await host.StopAsync();
        try
        {
            Assert.SkipUnless(await host.MakeReadOnlyAsync(), "only root can mount a folder as read-only");
            Assert.Throws<IOException>(() => File.WriteAllText(host.Checkout.File("x"), "x"));

            await host.RunningAsync();
            await Proof.HappensAsync("a site with rows comes up", IsServedAsync);
            Proof.Data(AllRows, rows, await host.OnEngine.RowsAsync());
        }
        finally
        {
            await host.StopAsync();
            await host.MakeWritableAsync();
        }
    }

    [Fault(FaultArea.Machine, "the AppHost is killed (SIGKILL) and started again at once")]
    [Fact(Timeout = 300_000)]
    public async Task A_killed_AppHost_leaves_nothing_that_hinders_the_next()
    {
        var killed = await host.RunningAsync();
        var rows = await host.RowsWithANewOneAsync();
        var containers = await host.OnEngine.ContainersAsync();
        var orchestrator = killed.Orchestrator();
        Assert.NotEmpty(orchestrator);

        killed.Kill();
        await killed.EndAsync(Cancellation);
        var next = await host.RunningAsync();
        await Proof.HappensAsync("the next one serves the site in new containers of the same names", async () =>
        {
            await IsServedAsync();
            await AreReplacedAsync(containers);
        });
        Proof.Data(AllRows, rows, await host.OnEngine.RowsAsync());
        await Proof.HappensAsync("the killed one's orchestrator ends", () => Eventually.IsAsync(
            () => Task.FromResult(string.Join(' ', orchestrator.Where(id => Directory.Exists($"/proc/{id}")))),
            left => left.Length == 0,
            what: "the end of its processes"));

        // The killed one made the network, and could not remove it.
        Assert.Contains($"network {host.OnEngine.Names.Network}", await host.OnEngine.OfARunAsync());
        await next.DisposeAsync();
        await Proof.HappensAsync(
            "when the next one ends, no container and no network is left over",
            async () => Assert.Empty(await host.OnEngine.OfARunAsync()));
    }

    [Fault(FaultArea.Machine, "power cut: the AppHost, its orchestrator and all containers are killed at once")]
    [Fact(Timeout = 300_000)]
    public async Task After_a_power_cut_the_next_start_clears_up_and_has_all_rows()
    {
        var killed = await host.RunningAsync();
        var rows = await host.RowsWithANewOneAsync();
        var containers = await host.OnEngine.ContainersAsync();

        var orchestrator = killed.Orchestrator();
        Assert.NotEmpty(orchestrator);
        killed.Kill();
        foreach (var process in orchestrator)
        {
            LoneAppHost.Crash(process);
        }

        await host.CrashContainersAsync();
        await killed.EndAsync(Cancellation);
        var next = await host.RunningAsync();
        var database = host.OnEngine.Names.DatabaseContainer;
        Proof.Reads($"Removing the container {database}: the run that made it (orchestrator process ", next.Output);
        await Proof.HappensAsync(
            "the next start removes what was left, and serves the site in new containers of the same names", async () =>
        {
            await IsServedAsync();
            await AreReplacedAsync(containers);
        });
        Proof.Data(AllRows, rows, await host.OnEngine.RowsAsync());
    }

    [Fault(FaultArea.Engine, "the engine is stopped underneath and started again")]
    [Fact(Timeout = 300_000)]
    public async Task What_ran_when_the_engine_stopped_runs_again_when_it_is_back()
    {
        var process = await host.RunningAsync();
        var rows = await host.RowsWithANewOneAsync();
        var containers = await host.OnEngine.ContainersAsync();
        var running = await host.OnEngine.RunningAsync();

        host.Engine.Cut();
        await host.CrashContainersAsync();
        await Proof.HappensAsync("the cause stands on the console", async () =>
        {
            await process.PrintedAsync("The container engine is gone", Cancellation);
            Proof.Reads("The container engine is gone ('docker version': Cannot connect to the Docker daemon", process.Output);
        });
        await Eventually.IsAsync(
            async () => string.Join(
                ", ", await host.OnEngine.RunningAsync()), running => running.Length == 0, what: "the end of the containers");
        host.Engine.Restore();
        await process.PrintedAsync("The container engine is back", Cancellation);

        await Proof.HappensAsync("all of them are started again as soon as the engine answers", () => RunAgainAsync(containers, running));
        Proof.Data(AllRows, rows, await host.OnEngine.RowsAsync());

        await host.CrashContainersAsync();
        await Proof.HappensAsync("and also later when they die", () => RunAgainAsync(containers, running));
        Assert.True(process.IsRunning, process.Output);
    }

    [Fault(FaultArea.Machine, "two AppHosts on one checkout")]
    [Fact(Timeout = 300_000)]
    public async Task A_second_AppHost_on_one_checkout_is_refused()
    {
        var first = await host.RunningAsync();
        var rows = await host.RowsWithANewOneAsync();
        var (containers, running) = (await host.OnEngine.ContainersAsync(), await host.OnEngine.RunningAsync());

        await using var second = host.Start();

        await Proof.HappensAsync("the second is refused with who has the names, and how to run beside it", async () =>
        {
            Assert.Equal(2, await second.EndAsync(Cancellation));
            Proof.Reads(
                $"{host.OnEngine.Names.DatabaseContainer}, is in use by a container that is running; another AppHost (orchestrator "
                + "process ",
                second.Output);
            Assert.Contains("or run beside it with --Uvlhub:Instance=NAME", second.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", second.Output, StringComparison.Ordinal);
        });
        await Proof.HappensAsync("the first goes on, in the same process and the same containers", async () =>
        {
            Assert.True(first.IsRunning, first.Output);
            await IsServedAsync();
            await AreTheSameAsync(containers);
            Assert.Empty(running.Except(await host.OnEngine.RunningAsync()));
        });
        Proof.Data(AllRows, rows, await host.OnEngine.RowsAsync());
    }

    private async Task IsServedAsync() => Assert.Contains("Coffee machine", await host.PageAsync(), StringComparison.Ordinal);

    private async Task AreReplacedAsync(IReadOnlyDictionary<string, string> containers)
    {
        // The site does not wait for all of them.
        var again = await Eventually.IsAsync(
            host.OnEngine.ContainersAsync, now => containers.Keys.All(now.ContainsKey), what: string.Join(", ", containers.Keys));
        Assert.Empty(containers.Values.Intersect(again.Values));
    }

    // What died, not something new in its place.
    private async Task RunAgainAsync(IReadOnlyDictionary<string, string> containers, IReadOnlyList<string> running)
    {
        Assert.Contains("Coffee machine", await host.PageAgainAsync(), StringComparison.Ordinal);
        await Eventually.IsAsync(
            async () => string.Join(
                ", ", running.Except(await host.OnEngine.RunningAsync())), missing => missing.Length == 0, what: "containers that run");
        await AreTheSameAsync(containers);
    }

    private async Task AreTheSameAsync(IReadOnlyDictionary<string, string> containers) =>
        Assert.Empty(containers.Except(await host.OnEngine.ContainersAsync()));
}
