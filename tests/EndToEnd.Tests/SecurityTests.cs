using System.Net;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using CliWrap;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What docs/security.md promises, on a checkout that tries.</summary>
public sealed class SecurityTests(HostileSample sample) : IClassFixture<HostileSample>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => sample.Uvlhub;

    [Fact(Timeout = 300_000)]
    public async Task No_value_and_no_name_of_a_checkout_reaches_a_shell()
    {
        // The start is behind us; these hand names and values on as well.
        Assert.True((await RunAsync("migrator", "status")).Success);
        Assert.True((await RunAsync("migrator", "backup")).Success);
        var tested = await RunAsync("rosemary", "test", ("module", "auth"), ("keyword", sample.Injection("login")));
        Assert.Contains($"Wrong expression passed to '-k': {sample.Injection("login")}", tested.Data?.Value, StringComparison.Ordinal);

        Assert.False(File.Exists(sample.Trace));
        foreach (var container in Containers())
        {
            Assert.False(await HasTraceAsync(container), container);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_value_that_did_reach_a_shell_would_be_seen_in_every_container_and_on_the_host()
    {
        foreach (var value in (string[])[sample.Injection("a"), $"a{sample.NameInjection}"])
        {
            foreach (var line in (string[])[$"echo {value}", $"echo '{value}'", $"echo \"{value}\""])
            {
                foreach (var container in Containers())
                {
                    // Its other command may well not exist.
                    await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "exec", container, "sh", "-c", line);
                    Assert.True(await HasTraceAsync(container), $"{container}: {line}");
                    await Uvlhub.EngineAsync(s_limit, Cancellation, "exec", container, "rm", sample.Trace);
                }

                await Cli.Wrap("sh").WithArguments(["-c", line]).WithValidation(CommandResultValidation.None).ExecuteAsync(Cancellation);
                Assert.True(File.Exists(sample.Trace), line);
                File.Delete(sample.Trace);
            }
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task They_arrive_as_they_are_written()
    {
        var variables = JsonSerializer.Deserialize<Dictionary<string, string>>(
            await ExecAsync("web_app_container", "python", "-c", "import json, os; print(json.dumps(dict(os.environ)))"))!;
        foreach (var (name, value) in sample.Secrets)
        {
            Assert.Equal(value, variables[name]);
        }

        Assert.Equal($"two\n$(touch {sample.Trace})\nlines", variables["GREETING"]);
        Assert.Equal(sample.Database, await Uvlhub.ScalarAsync("uvlhubdb", "SELECT DATABASE()", Cancellation));
        Assert.Equal(sample.Revision, await Uvlhub.ScalarAsync("uvlhubdb", "SELECT version_num FROM alembic_version", Cancellation));
    }

    [Fact(Timeout = 60_000)]
    public void No_process_had_a_secret_in_its_command_line()
    {
        // The engine's client was seen making containers, so a secret in its words would have been.
        Assert.Contains(
            sample.CommandLines.Keys,
            line =>
                line.Contains($"{Uvlhub.Instance}_", StringComparison.Ordinal) && line.Contains("--env-file", StringComparison.Ordinal));
        Assert.All(sample.CommandLines.Keys, AssertNoSecret);
    }

    [Fact(Timeout = 60_000)]
    public void The_files_that_hand_secrets_over_are_the_users_alone()
    {
        var files = Directory.GetFiles(SecretVariables.Folder, $"{Uvlhub.Instance}_*", SearchOption.AllDirectories);
        Assert.Contains(files, file => File.ReadAllText(file).Contains(sample.Secrets["SECRET_KEY"], StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in files)
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }

            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(Path.GetDirectoryName(files[0])!));
        }
    }

    [Fact(Timeout = 60_000)]
    public void The_dashboard_is_told_which_variables_are_secret_and_not_what_they_are()
    {
        foreach (var name in (string[])["db", "web", "rosemary", "migrator"])
        {
            Assert.True(
                Uvlhub.App.ResourceNotifications.TryGetCurrentState(name, out var current)
                    || Uvlhub.App.ResourceNotifications.TryGetCurrentState(Id(name), out current),
                name);
            // What the orchestrator was told: this is shown. What the engine has in addition is hidden and masked, and the
            // tests of ./run and ./ci look at what 'aspire describe' and 'aspire export' make of both. The migrator's
            // passwords are parameters, which are masked wherever they are the whole value.
            var masked = sample.Secrets.Values.ToHashSet(StringComparer.Ordinal);
            Assert.All(
                current.Snapshot.EnvironmentVariables.Where(variable => variable.IsFromSpec)
                    .Where(variable => name != "migrator" || !masked.Contains(variable.Value ?? "")),
                variable => AssertNoSecret($"{variable.Name}={variable.Value}"));
        }

        Assert.True(Uvlhub.App.ResourceNotifications.TryGetCurrentState("web", out var web));
        var kept = (string)web.Snapshot.Properties.Single(property => property.Name == SecretVariables.Property).Value!;
        Assert.Equal(sample.Secrets.Keys.Append("OTEL_EXPORTER_OTLP_HEADERS").Order(StringComparer.Ordinal), kept.Split(", "));
    }

    [Fact(Timeout = 120_000)]
    public async Task No_log_and_no_trace_has_a_secret_in_it()
    {
        // Of what was logged something is known, so an empty log is no answer.
        await RunAsync("rosemary", "test", ("module", "auth"), ("keyword", "login"));
        using var client = Uvlhub.CreateClient();
        await client.GetStringAsync("/?asked=by-the-test", Cancellation);
        foreach (var (resource, known) in ((string, string)[])
        [
            ("db", "ready for connections"), ("web", "?asked=by-the-test"), ("rosemary", "Running python"), (
                "migrator", "is at the checkout's head"),
        ])
        {
            AssertNoSecret(await Eventually.IsAsync(
                () => Uvlhub.LogAsync(resource, Cancellation), log => log
                    .Contains(known, StringComparison.Ordinal), what: $"{resource} logs '{known}'"));
        }

        var logged = new List<string>();
        foreach (var container in Containers())
        {
            var log = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "logs", container);
            Assert.True(log.Succeeded, log.Error);
            logged.Add(log.Output + log.Error);
        }

        Assert.All(
            (string[])["ready for connections", "?asked=by-the-test"],
            known => Assert.Contains(logged, log => log.Contains(known, StringComparison.Ordinal)));
        Assert.All(logged, AssertNoSecret);

        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        foreach (var (resource, known) in ((string, Func<Span, bool>)[])
        [
            ("web", span => span["url.query"] == "asked=by-the-test"),
            ("web", span => span["db.namespace"] == sample.Database),
            ("rosemary", span => span.Name == "flask db upgrade"),
            ("migrator", span => span.Name == "migrate"),
        ])
        {
            await dashboard.SpanAsync(resource, known, Cancellation);
            Assert.All(
                await dashboard.SpansAsync(resource, Cancellation),
                span => AssertNoSecret($"{span.Name} {string.Join(' ', span.Attributes)}"));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Containers_have_no_power_that_they_do_not_need_and_the_toolbox_none_that_the_site_has_not()
    {
        const string privileges = "{{.HostConfig.Privileged}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}} "
            + "{{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}} {{.HostConfig.Devices}} {{.Config.User}}";
        var site = await InspectAsync("web_app_container", privileges);
        Assert.StartsWith("false [ALL] [] [no-new-privileges] ", site, StringComparison.Ordinal);
        Assert.Equal(site, await InspectAsync("rosemary_container", privileges));
        Assert.Equal(
            await InspectAsync("web_app_container", "{{range .HostConfig.Mounts}}{{.Source}} {{end}}"),
            await InspectAsync("rosemary_container", "{{range .HostConfig.Mounts}}{{.Source}} {{end}}"));
        Assert.StartsWith(
            "false [] [] [no-new-privileges] ", await InspectAsync("mariadb_container", privileges), StringComparison.Ordinal);
        foreach (var container in Containers())
        {
            var mounts = await Uvlhub.EngineAsync(s_limit, Cancellation, "container", "inspect", "--format", "{{json .Mounts}}", container);
            Assert.StartsWith("[", mounts, StringComparison.Ordinal);
            Assert.DoesNotContain(".sock", mounts, StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_dashboard_asks_for_its_token()
    {
        var login = new Uri(await Uvlhub.DashboardLoginUrlAsync(Cancellation));
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = true });
        foreach (var page in (string[])["/", "/traces", "/consolelogs"])
        {
            using var refused = await client.GetAsync(new Uri(login, page), Cancellation);
            Assert.Equal(HttpStatusCode.Redirect, refused.StatusCode);
            Assert.StartsWith(
                "/login",
                refused.Headers.Location!.IsAbsoluteUri ? refused.Headers.Location.AbsolutePath : refused.Headers.Location.OriginalString,
                StringComparison.Ordinal);
        }

        using var wrong = await client.GetAsync(new Uri(login, "/login?t=wrong"), Cancellation);
        using var stillRefused = await client.GetAsync(new Uri(login, "/"), Cancellation);
        Assert.Equal(HttpStatusCode.Redirect, stillRefused.StatusCode);
        Assert.Contains("/login", stillRefused.Headers.Location!.OriginalString, StringComparison.Ordinal);

        using var withToken = await client.GetAsync(login, Cancellation);
        using var opened = await client.GetAsync(new Uri(login, "/"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, opened.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task Telemetry_without_its_key_is_refused_on_the_address_that_containers_reach()
    {
        var answer = await ExecAsync("web_app_container", "python", "-c", """
            import os, urllib.error, urllib.request
            request = urllib.request.Request(os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces", b"{}", {"Content-Type": "application/json"})
            try:
                print(urllib.request.urlopen(request).status)
            except urllib.error.HTTPError as error:
                print(error.code)
            """);
        Assert.Equal("401", answer);
    }

    private void AssertNoSecret(string text) =>
        Assert.All(sample.Secrets, secret => Assert.DoesNotContain(secret.Value, text, StringComparison.Ordinal));

    // Every container of the model that runs, under its name on the engine.
    private List<string> Containers()
    {
        List<string> containers =
        [
            .. Uvlhub.App.Services.GetRequiredService<DistributedApplicationModel>().Resources.OfType<ContainerResource>()
                .Where(container => !container.HasAnnotationOfType<ExplicitStartupAnnotation>())
                .Select(container => container.Annotations.OfType<ContainerNameAnnotation>().Last().Name),
        ];
        Assert.Contains(containers, container => container.Contains("nginx", StringComparison.Ordinal));
        return containers;
    }

    private async Task<bool> HasTraceAsync(string container) =>
        await Uvlhub.EngineAsync(
            s_limit, Cancellation, "exec", container, "sh", "-c", $"test -e {sample.Trace} && echo seen || echo none") == "seen";

    private Task<string> ExecAsync(string container, params string[] words) => Uvlhub.InsideAsync(container, Cancellation, words);

    private Task<string> InspectAsync(string container, string template) => Uvlhub.InspectAsync(container, template, Cancellation);

    private string Id(string resource) =>
        Uvlhub.App.ResourceNotifications.TryGetCurrentState(resource, out var current) ? current.ResourceId : resource;

    private Task<ExecuteCommandResult> RunAsync(string resource, string command, params (string Name, string Value)[] arguments) =>
        Uvlhub.RunCommandAsync(resource, command, arguments, Cancellation);
}
