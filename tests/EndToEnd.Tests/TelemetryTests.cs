using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What the dashboard learns of the checkout's code, in which there is no line about it.</summary>
public sealed class TelemetryTests(RunningSample sample)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => sample.Uvlhub;

    [Fact(Timeout = 60_000)]
    public async Task A_request_is_a_trace_with_its_statements_and_without_their_values()
    {
        using var client = Uvlhub.CreateClient();
        await client.GetStringAsync("/", Cancellation);

        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        var request = await dashboard.SpanAsync("web", span => span.Name == "GET /", Cancellation);
        Assert.Equal(("200", "GET", "/"), (request["http.response.status_code"], request["http.request.method"], request["http.route"]));

        var statement = await dashboard.SpanAsync(
            "web", span => span.ParentSpanId == request.SpanId && span["db.operation.name"] == "SELECT", Cancellation);
        Assert.Equal(
            (request.TraceId, "mariadb", "uvlhubdb", "db"),
            (statement.TraceId, statement["db.system"], statement["db.namespace"], statement["server.address"]));
        Assert.StartsWith("SELECT", statement["db.query.text"], StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_migrators_trace_goes_on_into_the_commands_that_it_runs()
    {
        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        var command = await dashboard.SpanAsync("rosemary", span => span.Name == "flask db upgrade", Cancellation);
        var step = await dashboard.SpanAsync("migrator", span => span.SpanId == command.ParentSpanId, Cancellation);
        Assert.Equal(step.TraceId, command.TraceId);
        await dashboard.SpanAsync(
            "rosemary", span => span.ParentSpanId == command.SpanId && span["db.operation.name"] == "CREATE", Cancellation);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_AppHosts_own_health_checks_are_no_traces()
    {
        using var client = Uvlhub.CreateClient();
        client.DefaultRequestHeaders.Add("User-Agent", "UvlhubAspire-HealthCheck");
        await client.GetStringAsync("/?asked=by-the-health-check", Cancellation);
        using var person = Uvlhub.CreateClient();
        await person.GetStringAsync("/?asked=by-a-person", Cancellation);

        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        await dashboard.SpanAsync("web", span => span["url.query"] == "asked=by-a-person", Cancellation);
        Assert.DoesNotContain(await dashboard.SpansAsync("web", Cancellation), span => span["url.query"] == "asked=by-the-health-check");
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_the_packages_the_site_says_so_once_and_works()
    {
        var command = """
            import sys
            class Missing:
                def find_spec(name, path=None, target=None):
                    if name.startswith("opentelemetry"):
                        raise ModuleNotFoundError(f"No module named '{name}'")
            sys.meta_path.insert(0, Missing)
            import uvlhub_telemetry
            from flask import Flask
            uvlhub_telemetry.check()
            application = Flask("a")
            uvlhub_telemetry.serve(application)
            print(application.test_client().get("/").status_code)
            """;
        var ran = await Uvlhub.Engine.RunAsync(
            TimeSpan.FromSeconds(30), Cancellation, "exec", Uvlhub.ContainerOf("web_app_container"), "python", "-c", command);
        Assert.Equal("404", ran.Output);
        var said = Assert.Single(ran.Error.Split('\n'));
        Assert.StartsWith(
            "UvlhubAspire: no traces, log records and metrics in the dashboard, because this image lacks OpenTelemetry (No module named "
            + "'opentelemetry",
            said, StringComparison.Ordinal);
        Assert.EndsWith("Uvlhub:Telemetry=false ends this message", said, StringComparison.Ordinal);
    }
}
