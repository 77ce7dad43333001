using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What the network reaches: every port on which the AppHost, its dashboard, its orchestrator and its containers listen.</summary>
public sealed class ListeningTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task Beside_the_loopback_address_telemetry_alone_is_open_on_the_engines_bridge_and_asks_for_its_key()
    {
        await using var run = await StartAsync();
        var bridge = IPAddress.Parse(await Uvlhub.EngineAsync(
            s_limit, Cancellation, "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "bridge"));
        var telemetry = new Uri(await run.VariableAsync("OTEL_EXPORTER_OTLP_ENDPOINT"));

        // The dashboard's own port, and the orchestrator's that leads to it.
        var open = await run.OpenAsync();
        Assert.Contains(new IPEndPoint(bridge, telemetry.Port), open);
        Assert.All(open, listening => Assert.Equal(bridge, listening.Address));
        using var client = new HttpClient();
        foreach (var listening in open)
        {
            using var answer = await client.PostAsJsonAsync($"http://{listening}/v1/traces", new { }, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }
    }

    [Fact(Timeout = 180_000)]
    public async Task Without_telemetry_nothing_is_open_but_the_nginx_that_a_setting_opens()
    {
        await using var run = await StartAsync("--Uvlhub:Telemetry=false", "--Uvlhub:OpenTo=network");
        Assert.Equal("", await run.VariableAsync("OTEL_EXPORTER_OTLP_ENDPOINT"));

        var ports = (await run.OpenAsync()).Select(open => open.Port).Distinct();
        using var client = new HttpClient { BaseAddress = new Uri($"http://{Dns.GetHostName()}:{Assert.Single(ports)}") };
        Assert.Contains("Coffee machine", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task Without_the_dashboard_neither_that_nor_telemetry_runs_and_nothing_watches_each_container()
    {
        await using var run = await StartAsync("--Uvlhub:Dashboard=false");
        Assert.Contains("dashboard: disabled", run.Host.Output, StringComparison.Ordinal);
        Assert.Equal("", await run.VariableAsync("OTEL_EXPORTER_OTLP_ENDPOINT"));
        var programs = run.Programs();
        Assert.Contains(programs, program => program.Contains("run-controllers", StringComparison.Ordinal));
        Assert.DoesNotContain(programs, program => program.Contains("Aspire.Dashboard", StringComparison.Ordinal));
        Assert.DoesNotContain(programs, program => program.Contains("monitor-container", StringComparison.Ordinal));
    }

    private static async Task<Run> StartAsync(params string[] settings)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        var run = new Run(settings);
        try
        {
            using var client = new HttpClient { BaseAddress = await run.Host.ReadyAsync(Cancellation) };
            // Once: what says that it is ready is.
            Assert.Contains("Coffee machine", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    private sealed class Run(string[] settings) : IAsyncDisposable
    {
        private readonly SampleCheckout _checkout = new();
        private readonly string _instance = Uvlhub.NewInstance();
        private AppHostProcess? _host;

        public AppHostProcess Host => _host ??= AppHostProcess.Start(
            new Dictionary<string, string>(), [$"--Uvlhub:Path={_checkout.Path}", $"--Uvlhub:Instance={_instance}", .. settings]);

        /// <summary>The command lines of the AppHost's orchestrator and of what that has started.</summary>
        public IReadOnlyList<string> Programs() => [.. Host.Orchestrator().Select(process => File.ReadAllText($"/proc/{process}/cmdline"))];

        /// <summary>A variable of the site; empty if it has none of this name.</summary>
        public async Task<string> VariableAsync(string name) => (await Uvlhub.EngineAsync(
                s_limit, Cancellation, "exec", $"{_instance}_web_app_container", "sh", "-c", $"echo \"${name}\""));

        /// <summary>Where it can be reached, other than on the loopback address.</summary>
        public async Task<IReadOnlyList<IPEndPoint>> OpenAsync()
        {
            var own = ListeningSocket.Of(Processes());
            // What the table tells is what there is.
            Assert.Contains(own, listening => listening.Port == DashboardPort());

            var containers = (
                await Uvlhub.EngineAsync(s_limit, Cancellation, "ps", "--quiet", "--filter", $"name=^{_instance}_")).Split('\n');
            var published = await Uvlhub.EngineAsync(
                s_limit, Cancellation,
                [
                    "container", "inspect", "--format",
                    "{{range .NetworkSettings.Ports}}{{range .}}{{println .HostIp .HostPort}}{{end}}{{end}}",
                    .. containers,
                ]);
            var theirs = published.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
                .Select(words => new IPEndPoint(IPAddress.Parse(words[0]), int.Parse(words[1], CultureInfo.InvariantCulture)))
                .ToList();
            Assert.NotEmpty(theirs);
            return [.. own.Concat(theirs).Where(listening => !IPAddress.IsLoopback(listening.Address)).Distinct()];
        }

        public async ValueTask DisposeAsync()
        {
            if (_host is not null)
            {
                await _host.DisposeAsync();
            }

            await Uvlhub.RemoveLeftoversAsync(_instance);
            _checkout.Dispose();
        }

        private IEnumerable<int> Processes() => Host.Orchestrator().Append(Host.Id);

        private int DashboardPort() => new Uri(Host.Output.Split("dashboard: ")[1].Split(['\r', '\n', ' '])[0]).Port;
    }
}
