using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.AppHost.Nginx;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What is promised of Production: no code of the host, no open database, nothing lost when a container is replaced.</summary>
public sealed partial class ProductionTests(RunningProduction production) : IClassFixture<RunningProduction>
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => production.Uvlhub;

    [Fact(Timeout = 60_000)]
    public async Task Gunicorn_serves_the_version_that_the_image_was_built_with()
    {
        Assert.Equal(RunningProduction.Version, await InsideAsync("web_app_container", "cat", ".version"));
        Assert.Contains("gunicorn", await InsideAsync("web_app_container", "cat", "/proc/1/cmdline"), StringComparison.Ordinal);
        using var client = Uvlhub.CreateClient();
        using var answer = await client.GetAsync("/", Cancellation);
        Assert.Equal("gunicorn", answer.Headers.GetValues("Server").Single());
    }

    [Fact(Timeout = 60_000)]
    public async Task People_are_sent_to_nginx_under_the_sites_name()
    {
        var site = await Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("web", Cancellation);
        var door = Uvlhub.App.GetEndpoint("nginx", "https");
        Assert.Equal($"https://{RunningProduction.Domain}:{door.Port}", site.Snapshot.Urls.Single(url => !url.IsInternal).Url);
        Assert.True(await LeadsToSiteAsync(site.Resource));
    }

    [Fact(Timeout = 60_000)]
    public async Task No_container_has_a_folder_of_the_host()
    {
        foreach (var container in (string[])["web_app_container", "rosemary_container", "mariadb_container", "migrator_container"])
        {
            Assert.DoesNotContain("bind", await InspectAsync(container, "{{range .Mounts}}{{.Type}} {{end}}"), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task MariaDB_has_no_port_on_the_host_and_is_healthy()
    {
        Assert.Equal("", (await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "port", Uvlhub.ContainerOf("mariadb_container"))).Output);
        await Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("uvlhubdb", Cancellation);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_migrator_ran_beside_the_database_and_seeded_nothing()
    {
        var migrator = await Uvlhub.App.ResourceNotifications.WaitForResourceAsync("migrator", state => state.Snapshot.ExitCode is not null, Cancellation);
        Assert.Equal(0, migrator.Snapshot.ExitCode);
        Assert.Equal("004 0", await InsideAsync("mariadb_container", "sh", "-c",
            """MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -uroot --batch --skip-column-names -e "SELECT CONCAT(version_num, ' ', (SELECT COUNT(*) FROM uvlhubdb.feature_model)) FROM uvlhubdb.alembic_version" """));
    }

    [Fact(Timeout = 60_000)]
    public async Task No_secret_stands_in_an_image_or_in_a_command_line()
    {
        foreach (var container in (string[])["web_app_container", "rosemary_container"])
        {
            var image = await InspectAsync(container, "{{.Image}}");
            var layers = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "history", "--no-trunc", image);
            var settings = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "image", "inspect", image);
            var command = await InspectAsync(container, "{{json .Path}} {{json .Args}}");
            Assert.DoesNotContain(RunningProduction.Password, layers.Output + settings.Output + command, StringComparison.Ordinal);
            Assert.Equal("", await InsideAsync(container, "sh", "-c", "ls -a | grep '^.env' || true"));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_site_does_not_know_roots_password() =>
        Assert.Equal("", await InsideAsync("web_app_container", "sh", "-c", "echo $MARIADB_ROOT_PASSWORD"));

    [Fact(Timeout = 180_000)]
    public async Task A_session_and_an_upload_outlive_the_container()
    {
        using var client = Uvlhub.CreateClient();
        var form = await client.GetStringAsync("/signup", Cancellation);
        using var answer = await client.PostAsync("/signup", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["csrf_token"] = CsrfToken().Match(form).Groups[1].Value,
            ["name"] = "Ada",
            ["surname"] = "Lovelace",
            ["email"] = "ada@example.org",
            ["password"] = "1234-of-Ada",
        }), Cancellation);
        Assert.Contains("Log out", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        await InsideAsync("web_app_container", "sh", "-c", "echo kept > uploads/kept.txt");
        var before = await InspectAsync("web_app_container", "{{.Id}}");

        var restarted = await Uvlhub.App.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync("web", KnownResourceCommands.RestartCommand, Cancellation);
        Assert.True(restarted.Success, restarted.Message);
        await Eventually.TrueAsync(async () => await InspectAsync("web_app_container", "{{.Id}}") is { Length: > 0 } id && id != before);
        await Eventually.TrueAsync(async () => (await client.GetStringAsync("/", Cancellation)).Contains("Log out", StringComparison.Ordinal));
        Assert.Equal("kept", await InsideAsync("web_app_container", "cat", "uploads/kept.txt"));
    }

    [Fault(FaultArea.Production, "the renewal of the certificate fails", Happens = "the old certificate is still served; certbot is unhealthy and its log has the cause", Data = "not touched")]
    [Fact(Timeout = 240_000)]
    public async Task The_certificate_is_issued_served_renewed_under_load_and_outlives_a_failing_renewal()
    {
        var notifications = Uvlhub.App.ResourceNotifications;
        var commands = Uvlhub.App.Services.GetRequiredService<ResourceCommandService>();
        await notifications.WaitForResourceHealthyAsync("certbot", Cancellation);

        // Port 80 sends everybody to the name, with TLS.
        using var plain = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = Uvlhub.App.GetEndpoint("nginx", "http") };
        await Eventually.TrueAsync(async () => (await plain.GetAsync("/login?next=/", Cancellation)).Headers.Location?.ToString() == $"https://{RunningProduction.Domain}/login?next=/");

        string? issued = null;
        await Eventually.TrueAsync(async () => (issued = await ServedSerialAsync()) is not null);
        var shown = await notifications.WaitForResourceAsync("certbot", state => Property(state, "certificate.until") is not null, Cancellation);
        Assert.Matches(@"^\d{4}-\d\d-\d\d \d\d:\d\d UTC$", Property(shown, "certificate.next"));

        string? renewed = null;
        await ServesAsync();
        await using (var load = new Load(new Uri($"https://{RunningProduction.Domain}/"), visitors: 2, connect: () => ToNginx(_ => { })))
        {
            var result = await commands.ExecuteCommandAsync("certbot", "renew", Cancellation);
            Assert.True(result.Success, result.Message);
            await Eventually.TrueAsync(async () => (renewed = await ServedSerialAsync()) is not null && renewed != issued);
            await load.DisposeAsync();
            Assert.Empty(load.Failures);
            Assert.True(load.Answered > 0);
        }

        await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "stop", "--time", "1", Uvlhub.ContainerOf("pebble_container"));
        var failed = await commands.ExecuteCommandAsync("certbot", "renew", Cancellation);
        Assert.False(failed.Success);
        Proof.Sentence(failed.Message ?? "");
        await notifications.WaitForResourceAsync("certbot", state => state.Snapshot.HealthStatus == HealthStatus.Unhealthy, Cancellation);
        Assert.Equal(renewed, await ServedSerialAsync());
    }

    [Fault(FaultArea.Production, "a new version does not start", Happens = "the one before it goes on serving, and no request fails", Data = "not touched")]
    [Fact(Timeout = 420_000)]
    public async Task A_deployment_under_load_fails_no_request_and_a_version_that_does_not_start_replaces_nothing()
    {
        var template = production.Checkout.File("app/templates/base.html");
        var routes = production.Checkout.File("app/modules/public/routes.py");
        var (page, code) = (await File.ReadAllTextAsync(template, Cancellation), await File.ReadAllTextAsync(routes, Cancellation));
        await ServesAsync();
        var first = await ImagesAsync();
        using var client = new HttpClient(ToNginx(_ => { })) { BaseAddress = new Uri($"https://{RunningProduction.Domain}/") };
        await using var load = new Load(client.BaseAddress, visitors: 3, connect: () => ToNginx(_ => { }));

        await File.WriteAllTextAsync(template, page.Replace("</footer>", " the second version</footer>", StringComparison.Ordinal), Cancellation);
        Assert.Equal("401", await AskAsync("another-token"));
        Assert.Equal("202", await AskAsync(RunningProduction.WebhookToken));
        await Eventually.TrueAsync(async () => (await client.GetStringAsync("/", Cancellation)).Contains("the second version", StringComparison.Ordinal));
        await Eventually.TrueAsync(async () => !await IsUpAsync("web_app_next_container"));
        // The worker does its work with the code that serves, and nothing is left of the images from before.
        Assert.Equal(await InspectAsync("web_app_container", "{{.Image}}"), await InspectAsync("rq_worker_container", "{{.Image}}"));
        foreach (var image in first)
        {
            await Eventually.TrueAsync(async () => !(await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "image", "inspect", image)).Succeeded);
        }

        Assert.Equal("", await InsideAsync("web_app_container", "sh", "-c", "echo $WEBHOOK_TOKEN; ls /var/run/docker.sock 2>/dev/null || true"));

        await File.AppendAllTextAsync(routes, "\nthis is no Python\n", Cancellation);
        var commands = Uvlhub.App.Services.GetRequiredService<ResourceCommandService>();
        ExecuteCommandResult refused;
        do
        {
            refused = await commands.ExecuteCommandAsync("web", "deploy", Cancellation);
        }
        while (refused.Message?.Contains("another deployment is under way", StringComparison.Ordinal) == true);
        await File.WriteAllTextAsync(routes, code, Cancellation);
        Assert.False(refused.Success);
        Proof.Reads("does not start", refused.Message ?? "");
        Assert.Contains("the second version", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);

        await load.DisposeAsync();
        Assert.Empty(load.Failures);
        Assert.True(load.Answered > 50, $"only {load.Answered} requests were answered");
        Assert.False(await IsUpAsync("web_app_next_container"));

        async Task<string[]> ImagesAsync() => [await InspectAsync("web_app_container", "{{.Image}}"), await InspectAsync("rosemary_container", "{{.Image}}")];

        // As uvlhub's own workflow does it; the image of nginx has curl.
        Task<string> AskAsync(string token) => InsideAsync(
            "nginx_web_server_container", "curl", "--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}", "--resolve", $"{RunningProduction.Domain}:443:127.0.0.1",
            "--request", "POST", $"https://{RunningProduction.Domain}/webhook/deploy", "--header", $"Authorization: Bearer {token}");
    }

    [Fault(FaultArea.Production, "the registry's new image does not start", Happens = "the one before it goes on serving, no request fails, and the image is not tried again", Data = "not touched")]
    [Fact(Timeout = 480_000)]
    public async Task A_newer_image_in_the_registry_is_deployed_and_one_that_does_not_start_is_not()
    {
        await using var registry = await LocalRegistry.StartAsync($"{Uvlhub.Instance}_registry", Cancellation);
        var image = $"{registry.Address}/minihub:latest";
        var served = await registry.NameAsync(await InspectAsync("web_app_container", "{{.Image}}"), "minihub", Cancellation);
        var first = await registry.PushAsync("minihub", "1", $"FROM {served}\nLABEL version=1", Cancellation);
        await LocalRegistry.PullAsync(image, Cancellation);

        await using var updated = await Uvlhub.StartHealthyAsync(
            production.Checkout.Path, Uvlhub.NewInstance(), Cancellation,
            "--Uvlhub:Environment=Production", "--Uvlhub:Gunicorn:Workers=1", "--Uvlhub:Services=nginx",
            $"--Uvlhub:Deploy:Image={image}", "--Uvlhub:Deploy:CheckEvery=00:00:01");
        var web = await updated.App.ResourceNotifications.WaitForResourceHealthyAsync("web", Cancellation);
        await updated.App.ResourceNotifications.WaitForResourceHealthyAsync("nginx", Cancellation);
        var site = updated.App.GetEndpoint("nginx", "http");
        using var client = new HttpClient { BaseAddress = site };
        // nginx is there before the site is, and learns its address within a second.
        Assert.True(await LeadsToSiteAsync(web.Resource));
        Assert.True((await client.GetAsync("/", Cancellation)).IsSuccessStatusCode);
        await using var load = new Load(site, visitors: 2);

        var second = await registry.PushAsync("minihub", "2", $"FROM {first}\nRUN sed -i 's#</footer>#of the registry</footer>#' app/templates/base.html", Cancellation);
        await Eventually.TrueAsync(async () => (await client.GetStringAsync("/", Cancellation)).Contains("of the registry", StringComparison.Ordinal));

        var third = await registry.PushAsync("minihub", "3", $"FROM {second}\nRUN echo 'this is no Python' >>app/modules/public/routes.py", Cancellation);
        await updated.App.ResourceNotifications.WaitForResourceAsync("web-next", state => state.Snapshot.ExitCode is > 0, Cancellation);
        // What the next start would take is what serves.
        await Eventually.TrueAsync(async () => await LocalRegistry.IdAsync(image, Cancellation) == await LocalRegistry.IdAsync(second, Cancellation));
        Assert.NotEqual(await LocalRegistry.IdAsync(second, Cancellation), await LocalRegistry.IdAsync(third, Cancellation));
        Assert.Contains("of the registry", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);

        await load.DisposeAsync();
        Assert.Empty(load.Failures);
        Assert.True(load.Answered > 50, $"only {load.Answered} requests were answered");
    }

    private static string? Property(ResourceEvent state, string name) =>
        state.Snapshot.Properties.FirstOrDefault(property => property.Name == name)?.Value as string;

    // The serial number of the certificate that nginx shows; null while it shows none.
    private async Task<string?> ServedSerialAsync()
    {
        string? serial = null;
        using var client = new HttpClient(ToNginx(certificate => serial = certificate.GetSerialNumberString()));
        try
        {
            (await client.GetAsync(new Uri($"https://{RunningProduction.Domain}/"), Cancellation)).EnsureSuccessStatusCode();
            return serial;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    // After a restart of web, by another test, nginx's old workers answer beside those that know the new address, for a tenth
    // of a second.
    private async Task ServesAsync()
    {
        for (var inARow = 0; inARow < 3; await Task.Delay(200, Cancellation))
        {
            inARow = await ServedSerialAsync() is null ? 0 : inARow + 1;
        }
    }

    private SocketsHttpHandler ToNginx(Action<X509Certificate> see)
    {
        var nginx = Uvlhub.App.GetEndpoint("nginx", "https");
        return new SocketsHttpHandler
        {
            // The name is nobody's, so no name server knows it.
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync(IPAddress.Loopback, nginx.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    see(certificate!);
                    // Pebble's root is nobody's either; the name must be right.
                    return !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch);
                },
            },
        };
    }

    private static Task<bool> LeadsToSiteAsync(IResource site) => site.Annotations.OfType<PublicAddressAnnotation>().Single().LeadsToSiteAsync(Cancellation);

    private async Task<string> InsideAsync(string container, params string[] command)
    {
        var result = await Uvlhub.Engine.RunAsync(s_limit, Cancellation, ["exec", Uvlhub.ContainerOf(container), .. command]);
        Assert.True(result.Succeeded, result.Error);
        return result.Output;
    }

    private async Task<string> InspectAsync(string container, string format) =>
        (await Uvlhub.Engine.RunAsync(s_limit, Cancellation, "container", "inspect", "--format", format, Uvlhub.ContainerOf(container))).Output;

    private async Task<bool> IsUpAsync(string container) => await InspectAsync(container, "{{.State.Running}}") == "true";

    [GeneratedRegex("name=\"csrf_token\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex CsrfToken();
}
