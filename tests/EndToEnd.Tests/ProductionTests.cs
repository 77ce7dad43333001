using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// What is promised of Production: no code of the host, no open database, no secret in the wrong place, nothing lost when a
/// container is replaced.
/// </summary>
[Collection(ProductionGroup.Name)]
public sealed partial class ProductionTests(RunningProduction production)
{
    // Whose images have the checkout in them.
    private static readonly string[] s_checkouts = ["web_app_container", "rosemary_container", "rq_worker_container", "migrator_container"];

    private static readonly string[] s_others =
        ["mariadb_container", "nginx_web_server_container", "redis_container"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => production.Uvlhub;

    [Fact(Timeout = 60_000)]
    public async Task Gunicorn_serves_the_version_that_the_image_was_built_with()
    {
        Assert.Equal(RunningProduction.Version, await production.InsideAsync("web_app_container", "cat", ".version"));
        Assert.Contains("gunicorn", await production.InsideAsync("web_app_container", "cat", "/proc/1/cmdline"), StringComparison.Ordinal);
        using var client = Uvlhub.CreateClient();
        using var answer = await client.GetAsync("/", Cancellation);
        Assert.Equal("gunicorn", answer.Headers.GetValues("Server").Single());
    }

    [Fact(Timeout = 60_000)]
    public async Task The_dashboard_keeps_nothing_of_a_sites_users_on_the_disk()
    {
        var dashboard = await Uvlhub.App.ResourceNotifications.WaitForResourceAsync(
            "aspire-dashboard", change => !change.Snapshot.EnvironmentVariables.IsDefaultOrEmpty, Cancellation);
        Assert.Equal(
            "None", dashboard.Snapshot.EnvironmentVariables.Single(variable => variable.Name == "ASPIRE_DASHBOARD_PERSISTENCE_MODE").Value);
    }

    [Fact(Timeout = 60_000)]
    public async Task People_are_sent_to_nginx()
    {
        var site = await Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("web", Cancellation);
        var shown = site.Snapshot.Urls.Single(url => !url.IsInternal).Url;
        Assert.Equal(production.Site.GetLeftPart(UriPartial.Authority), shown);
        await production.ServesAsync();
        using var client = new HttpClient();
        using var answer = await client.GetAsync(new Uri(shown), Cancellation);
        Assert.StartsWith("nginx", answer.EnsureSuccessStatusCode().Headers.GetValues("Server").Single(), StringComparison.Ordinal);
        Assert.Contains("MINIHUB", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Of_the_hosts_files_only_nginxs_and_the_workers_script_are_mounted_and_nobody_can_write_there()
    {
        foreach (var container in await ContainersAsync())
        {
            string[] expected = container switch
            {
                "nginx_web_server_container" => ["/etc/nginx/nginx.conf false", "/usr/share/nginx/html false"],
                "rq_worker_container" => ["/app/entrypoint.sh false"],
                _ => [],
            };
            var mounts = await production.InspectAsync(
                container, "{{range .Mounts}}{{if eq .Type \"bind\"}}{{println .Destination .RW}}{{end}}{{end}}");
            Assert.Equal(expected, mounts.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task MariaDB_has_no_port_on_the_host_and_is_healthy()
    {
        Assert.Equal("true", await production.InspectAsync(
            "mariadb_container",
            "{{.State.Running}}{{range $port, $bound := .NetworkSettings.Ports}}{{if $bound}} {{$port}}{{end}}{{end}}"));
        await Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("uvlhubdb", Cancellation);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_migrator_ran_beside_the_database_and_seeded_nothing()
    {
        var migrator = await Uvlhub.App.ResourceNotifications.WaitForResourceAsync(
            "migrator", state => state.Snapshot.ExitCode is not null, Cancellation);
        Assert.Equal(0, migrator.Snapshot.ExitCode);
        Assert.DoesNotContain("waits for migrator, which is", await Uvlhub.LogAsync("web", Cancellation), StringComparison.Ordinal);
        Assert.Equal(production.Head, await production.SqlAsync("SELECT version_num FROM alembic_version"));
        // The examples' users; those of other tests have other addresses.
        Assert.Equal("0", await production.SqlAsync("SELECT COUNT(*) FROM user WHERE email LIKE '%@example.com'"));
    }

    [Fact(Timeout = 240_000)]
    public async Task No_secret_stands_in_any_layer_of_an_image()
    {
        var images = await Task.WhenAll(s_checkouts.Select(container => production.InspectAsync(container, "{{.Image}}")));
        // It reads what a step has written that came before the last: so it reads layers.
        var found = await ImageLayers.FindAsync(images.Distinct(), [.. await SecretsAsync(), RunningProduction.Version], Cancellation);
        Assert.Equal([RunningProduction.Version], found.Keys);
    }

    [Fact(Timeout = 60_000)]
    public async Task No_secret_stands_in_a_containers_command_line()
    {
        var secrets = await SecretsAsync();
        foreach (var container in await ContainersAsync())
        {
            var command = await production.InspectAsync(
                container, "{{json .Path}} {{json .Args}} {{json .Config.Entrypoint}} {{json .Config.Healthcheck}}");
            Assert.All(secrets, secret => Assert.DoesNotContain(secret, command, StringComparison.Ordinal));
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("web_app_container")]
    [InlineData("rq_worker_container")]
    public async Task Neither_the_site_nor_its_worker_knows_roots_password(string container)
    {
        var environment = await production.InsideAsync(container, "env");
        Assert.Contains(RunningProduction.Password, environment, StringComparison.Ordinal);
        Assert.DoesNotContain(RunningProduction.RootPassword, environment, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_session_and_an_upload_outlive_the_container()
    {
        await production.ServesAsync();
        using var visitor = new Visitor(production.Site);
        await visitor.SignUpAsync(Cancellation);
        var upload = await visitor.UploadAsync(Cancellation);
        var files = await FilesAsync();
        Assert.NotEmpty(files);
        var before = await production.RunningIdAsync("web_app_container");

        var restarted = await Uvlhub.App.Services.GetRequiredService<ResourceCommandService>()
            .ExecuteCommandAsync("web", KnownResourceCommands.RestartCommand, Cancellation);
        Assert.True(restarted.Success, restarted.Message);
        await Eventually.IsAsync(
            () => production.RunningIdAsync("web_app_container"), id => id.Length > 0 && id != before, what: "another container");
        await production.ServesAsync();
        Assert.Contains(Visitor.LoggedIn, await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.Equal(upload.Text, await visitor.DownloadAsync(upload, Cancellation));
        // The row has the text too, so that alone does not prove that there is a file.
        Assert.Equal(files, await FilesAsync());

        Task<string> FilesAsync() => production.InsideAsync("web_app_container", "sh", "-c", "sha256sum uploads/featuremodels/*");
    }

    private async Task<string[]> ContainersAsync()
    {
        string[] containers = [.. (await production.ContainersAsync()).Select(container => container[(Uvlhub.Instance.Length + 1)..])];
        // Whatever else there is is looked at as well.
        Assert.Empty(s_checkouts.Concat(s_others).Except(containers));
        return containers;
    }

    private async Task<string[]> SecretsAsync()
    {
        var key = await production.InsideAsync("web_app_container", "printenv", "SECRET_KEY");
        Assert.NotEmpty(key);
        return [RunningProduction.Password, RunningProduction.RootPassword, RunningProduction.WebhookToken, key];
    }
}
