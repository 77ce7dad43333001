using System.Text.Json.Nodes;
using CliWrap;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The checkout of an ordinary user who debugs it.</summary>
public sealed class PersonsSample : IAsyncLifetime
{
    private Uvlhub? _uvlhub;

    internal static CheckoutOwner Person { get; } = new(12345, 23456);

    public SampleCheckout Checkout { get; } = new();

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        if (Environment.IsPrivilegedProcess)
        {
            await Cli.Wrap("chown").WithArguments(["-R", Person.ToString(), Checkout.Path]).ExecuteAsync(cancellation);
            // The folder above it is only for whoever made it.
            await Cli.Wrap("chmod").WithArguments(["755", Path.GetDirectoryName(Checkout.Path)!]).ExecuteAsync(cancellation);
        }

        _uvlhub = await Uvlhub.StartHealthyAsync(Checkout.Path, Uvlhub.NewInstance(), cancellation, "--Uvlhub:Debug=true");
    }

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        Checkout.Dispose();
    }
}

/// <summary>What an ordinary user's checkout is promised.</summary>
public sealed class OwnershipTests(PersonsSample sample) : IClassFixture<PersonsSample>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => sample.Uvlhub;

    [Fact(Timeout = 120_000)]
    public async Task What_the_containers_write_into_the_checkout_belongs_to_its_owner()
    {
        var owner = CheckoutOwner.Read(sample.Checkout.Path);
        foreach (var container in (string[])["web_app_container", "rosemary_container"])
        {
            // Both are asked for by tools that a user without an entry in the image's passwd breaks.
            var ran = await Uvlhub.Engine.RunAsync(
                TimeSpan.FromSeconds(30),
                Cancellation,
                "exec", Uvlhub.ContainerOf(container), "python", "-c",
                "import getpass, os, sys; open(sys.argv[1], 'w').close(); print(getpass.getuser(), os.access(os.path.expanduser('~'), "
                + "os.W_OK))",
                container);
            Assert.True(ran.Succeeded, ran.Error);
            Assert.Equal("uvlhub True", ran.Output);
            Assert.Equal(owner, CheckoutOwner.Read(sample.Checkout.File(container)));
        }

        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(sample.Checkout.Path, "*", SearchOption.AllDirectories), entry => CheckoutOwner
                .Read(entry) != owner);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_debugger_stops_at_a_breakpoint_of_the_site_and_lets_it_go_on()
    {
        var routes = await File.ReadAllLinesAsync(sample.Checkout.File("app/modules/public/routes.py"), Cancellation);
        var line = Array.FindIndex(routes, text => text.StartsWith("def index", StringComparison.Ordinal)) + 2;

        using var debugger = await DebuggerClient.ConnectAsync(Uvlhub.EndpointOf("web", "debugger").Port, Cancellation);
        await debugger.SendAsync("initialize", new JsonObject { ["adapterID"] = "test", ["pathFormat"] = "path" }, Cancellation);
        await debugger.ReadAsync("response", "initialize", Cancellation);
        await debugger.SendAsync("attach", new JsonObject { ["justMyCode"] = true }, Cancellation);
        await debugger.ReadAsync("event", "initialized", Cancellation);
        await debugger.SendAsync("setBreakpoints", new JsonObject
        {
            ["source"] = new JsonObject { ["path"] = "/app/app/modules/public/routes.py" },
            ["breakpoints"] = new JsonArray(new JsonObject { ["line"] = line }),
        }, Cancellation);
        await debugger.ReadAsync("response", "setBreakpoints", Cancellation);
        await debugger.SendAsync("configurationDone", [], Cancellation);

        using var client = Uvlhub.CreateClient();
        client.Timeout = TimeSpan.FromSeconds(90);
        var page = client.GetStringAsync("/", Cancellation);
        var stopped = (await debugger.ReadAsync("event", "stopped", Cancellation)).GetProperty("body");
        Assert.Equal("breakpoint", stopped.GetProperty("reason").GetString());
        Assert.False(page.IsCompleted);

        await debugger.SendAsync("setBreakpoints", new JsonObject { ["source"] = new JsonObject { ["path"] = "/app/app/modules/public/routes.py" }, ["breakpoints"] = new JsonArray() }, Cancellation);
        await debugger.SendAsync("continue", new JsonObject { ["threadId"] = stopped.GetProperty("threadId").GetInt32() }, Cancellation);
        await debugger.SendAsync("disconnect", new JsonObject { ["terminateDebuggee"] = false }, Cancellation);
        Assert.Contains("Coffee machine", await page, StringComparison.Ordinal);
    }
}
