using System.Net;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Secrets;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What docs/security.md promises, on a checkout that tries.</summary>
public sealed class SecurityTests(HostileSample sample) : IClassFixture<HostileSample>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // All of the model that run in Development.
    private static readonly string[] s_containers = ["mariadb_container", "web_app_container", "rosemary_container"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => sample.Uvlhub;

    [Fact(Timeout = 300_000)]
    public async Task No_value_and_no_name_of_a_checkout_reaches_a_shell()
    {
        // The start is behind us; these hand names and values on as well.
        await RunAsync("migrator", "status");
        await RunAsync("migrator", "backup");
        await RunAsync("rosemary", "test", ("module", "auth"), ("keyword", sample.Injection("login")));

        foreach (var container in s_containers)
        {
            var found = await ExecAsync(container, "find", "/", "-xdev", "-not", "-path", "/proc/*", "-name", sample.Trace);
            Assert.Equal("", found);
        }

        Assert.Empty(Directory.EnumerateFiles(sample.Path, sample.Trace, SearchOption.AllDirectories));
        foreach (var folder in (string[])[Directory.GetCurrentDirectory(), Path.GetDirectoryName(sample.Path)!, Path.GetTempPath(), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), "/"])
        {
            Assert.False(File.Exists(Path.Combine(folder, sample.Trace)), folder);
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
        Assert.Equal($"db$(touch {sample.Trace});'`\"", await Uvlhub.ScalarAsync("uvlhubdb", "SELECT DATABASE()", Cancellation));
        Assert.Equal($"005;$(touch {sample.Trace})`", await Uvlhub.ScalarAsync("uvlhubdb", "SELECT version_num FROM alembic_version", Cancellation));
    }

    [Fact(Timeout = 60_000)]
    public void No_process_had_a_secret_in_its_command_line()
    {
        // The engine's client was seen making containers, so a secret in its words would have been.
        Assert.Contains(sample.CommandLines.Keys, line => line.Contains($"{Uvlhub.Instance}_", StringComparison.Ordinal) && line.Contains("--env-file", StringComparison.Ordinal));
        Assert.All(sample.CommandLines.Keys, AssertNoSecret);
    }

    [Fact(Timeout = 60_000)]
    public void The_files_that_hand_secrets_over_are_the_users_alone()
    {
        var files = Directory.GetFiles(SecretVariables.Folder, $"{Uvlhub.Instance}_*");
        Assert.Contains(files, file => File.ReadAllText(file).Contains(sample.Secrets["SECRET_KEY"], StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in files)
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }

            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(SecretVariables.Folder));
        }
    }

    [Fact(Timeout = 60_000)]
    public void The_dashboard_is_told_which_variables_are_secret_and_not_what_they_are()
    {
        foreach (var name in (string[])["db", "web", "rosemary", "migrator"])
        {
            Assert.True(Uvlhub.App.ResourceNotifications.TryGetCurrentState(name, out var current) || Uvlhub.App.ResourceNotifications.TryGetCurrentState(Id(name), out current), name);
            // What the orchestrator was told: this is shown. What the engine has in addition is hidden and masked, and the
            // tests of ./run and ./ci look at what 'aspire describe' and 'aspire export' make of both. The migrator's
            // passwords are parameters, which are masked wherever they are the whole value.
            var masked = sample.Secrets.Values.ToHashSet(StringComparer.Ordinal);
            Assert.All(current.Snapshot.EnvironmentVariables.Where(variable => variable.IsFromSpec).Where(variable => name != "migrator" || !masked.Contains(variable.Value ?? "")), variable => AssertNoSecret($"{variable.Name}={variable.Value}"));
        }

        Assert.True(Uvlhub.App.ResourceNotifications.TryGetCurrentState("web", out var web));
        var kept = (string)web.Snapshot.Properties.Single(property => property.Name == SecretVariables.Property).Value!;
        Assert.Equal(sample.Secrets.Keys.Append("OTEL_EXPORTER_OTLP_HEADERS").Order(StringComparer.Ordinal), kept.Split(", "));
    }

    [Fact(Timeout = 60_000)]
    public async Task No_log_and_no_trace_has_a_secret_in_it()
    {
        foreach (var resource in (string[])["db", "web", "rosemary", "migrator"])
        {
            AssertNoSecret(await Uvlhub.LogAsync(resource, Cancellation));
        }

        foreach (var container in s_containers)
        {
            var logged = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "logs", Uvlhub.ContainerOf(container));
            AssertNoSecret(logged.Output + logged.Error);
        }

        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        await dashboard.SpanAsync("migrator", span => span.Name == "migrate", Cancellation);
        foreach (var resource in (string[])["web", "rosemary", "migrator"])
        {
            Assert.All(await dashboard.SpansAsync(resource, Cancellation), span => AssertNoSecret($"{span.Name} {string.Join(' ', span.Attributes)}"));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Containers_have_no_power_that_they_do_not_need_and_the_toolbox_none_that_the_site_has_not()
    {
        const string privileges = "{{.HostConfig.Privileged}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}} {{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}} {{.HostConfig.Devices}} {{.Config.User}}";
        var site = await InspectAsync("web_app_container", privileges);
        Assert.StartsWith("false [ALL] [] [no-new-privileges] ", site, StringComparison.Ordinal);
        Assert.Equal(site, await InspectAsync("rosemary_container", privileges));
        Assert.Equal(
            await InspectAsync("web_app_container", "{{range .HostConfig.Mounts}}{{.Source}} {{end}}"),
            await InspectAsync("rosemary_container", "{{range .HostConfig.Mounts}}{{.Source}} {{end}}"));
        foreach (var container in (string[])["web_app_container", "rosemary_container"])
        {
            Assert.Contains("CapEff:\t0000000000000000", await ExecAsync(container, "cat", "/proc/1/status"), StringComparison.Ordinal);
        }

        Assert.StartsWith("false [] [] [no-new-privileges] ", await InspectAsync("mariadb_container", privileges), StringComparison.Ordinal);
        foreach (var container in s_containers)
        {
            Assert.DoesNotContain(".sock", await InspectAsync(container, "{{json .Mounts}}"), StringComparison.Ordinal);
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
            Assert.StartsWith("/login", refused.Headers.Location!.IsAbsoluteUri ? refused.Headers.Location.AbsolutePath : refused.Headers.Location.OriginalString, StringComparison.Ordinal);
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

    private async Task<string> ExecAsync(string container, params string[] words)
    {
        var ran = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, ["exec", Uvlhub.ContainerOf(container), .. words]);
        return ran.Output;
    }

    private async Task<string> InspectAsync(string container, string template)
    {
        var inspected = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "container", "inspect", "--format", template, Uvlhub.ContainerOf(container));
        Assert.True(inspected.Succeeded, inspected.Error);
        return inspected.Output;
    }

    private string Id(string resource) =>
        Uvlhub.App.ResourceNotifications.TryGetCurrentState(resource, out var current) ? current.ResourceId : resource;

    private Task<ExecuteCommandResult> RunAsync(string resource, string command, params (string Name, string Value)[] arguments) =>
        Uvlhub.RunCommandAsync(resource, command, arguments, Cancellation);
}
