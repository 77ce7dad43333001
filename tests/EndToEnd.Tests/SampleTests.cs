using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The bundled sample after a cold start: what is promised of a uvlhub that is up.</summary>
public sealed class SampleTests(RunningSample sample)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => sample.Uvlhub;

    [Fact(Timeout = 60_000)]
    public async Task The_page_shows_the_seeded_models_and_the_name_from_the_checkouts_env()
    {
        using var client = Uvlhub.CreateClient();
        var page = await client.GetStringAsync("/", Cancellation);
        Assert.Contains("MINIHUB(dev)", page, StringComparison.Ordinal);
        Assert.Contains("Coffee machine", page, StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_seeded_user_can_log_in()
    {
        using var client = Uvlhub.CreateClient();
        var form = await client.GetStringAsync("/login", Cancellation);
        using var answer = await client.PostAsync("/login", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["csrf_token"] = CsrfForm.Token(form)!,
            ["email"] = "user1@example.com",
            ["password"] = "1234",
        }), Cancellation);
        Assert.Contains("Log out", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Compose_takes_the_network_for_its_own_and_leaves_it_where_it_is()
    {
        var folder = Directory.CreateTempSubdirectory("uvlhub-aspire-compose-");
        try
        {
            var network = $"{Uvlhub.Instance}_uvlhub_network";
            var image = await Uvlhub.EngineAsync(
                TimeSpan.FromSeconds(30), Cancellation, "inspect", "--format", "{{.Config.Image}}", Uvlhub.ContainerOf("web_app_container"));
            var file = Path.Combine(folder.FullName, "docker-compose.yml");
            await File.WriteAllTextAsync(
                file, $$"""
                services: { beside: { image: "{{image}}", command: getent hosts db, networks: [ {{network}} ] } }
                networks: { {{network}}: { name: {{network}} } }
                """, Cancellation);
            Task<string> ComposeAsync(params string[] words) =>
                Uvlhub.EngineAsync(TimeSpan.FromSeconds(60), Cancellation, ["compose", "--file", file, .. words]);
            Assert.Contains(" db", await ComposeAsync("run", "--rm", "beside"), StringComparison.Ordinal);
            await ComposeAsync("down");
            Assert.Equal(network, await Uvlhub.EngineAsync(
                TimeSpan.FromSeconds(30), Cancellation, "network", "ls", "--filter", $"name=^{network}$", "--format", "{{.Name}}"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_database_is_at_the_checkouts_head_and_seeded_once()
    {
        Assert.Equal("004", await Uvlhub.ScalarAsync("uvlhubdb", "SELECT version_num FROM alembic_version", Cancellation));
        Assert.Equal(
            "1", await Uvlhub.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM user WHERE email = 'user1@example.com'", Cancellation));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_application_user_can_work_in_the_test_database()
    {
        await using var connection = await Uvlhub.ConnectAsync("uvlhubdb-test", Cancellation);
        Assert.Equal("uvlhubdb_test", connection.Database);
        await using var command = connection.CreateCommand();
        command.CommandText = "CREATE TABLE granted (id INT); DROP TABLE granted";
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_migrator_has_finished_with_exit_code_0_and_the_databases_are_healthy()
    {
        var migrator = await Uvlhub.App.ResourceNotifications.WaitForResourceAsync(
            "migrator", state => state.Snapshot.ExitCode is not null, Cancellation);
        Assert.Equal((KnownResourceStates.Finished, 0), (migrator.Snapshot.State?.Text, migrator.Snapshot.ExitCode));
        foreach (var resource in (string[])["db", "uvlhubdb", "uvlhubdb-test", "web"])
        {
            await Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync(resource, Cancellation);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("db")]
    [InlineData("web")]
    public async Task A_service_is_found_by_its_compose_name_on_the_containers_network(string name)
    {
        var found = await Uvlhub.Engine.RunAsync(
            TimeSpan.FromSeconds(30), Cancellation, "exec", Uvlhub.ContainerOf("rosemary_container"), "getent", "hosts", name);
        Assert.True(found.Succeeded, found.Error);
    }

    [Fact(Timeout = 60_000)]
    public async Task Host_ports_are_open_on_the_loopback_address_alone()
    {
        foreach (var container in (string[])["web_app_container", "mariadb_container"])
        {
            var ports = await Uvlhub.Engine.RunAsync(TimeSpan.FromSeconds(30), Cancellation, "port", Uvlhub.ContainerOf(container));
            Assert.NotEmpty(ports.Output);
            Assert.All(ports.Output.Split('\n'), line => Assert.Contains("-> 127.0.0.1:", line, StringComparison.Ordinal));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_ignored_modules_reach_the_application_without_a_file_in_the_checkout()
    {
        var read = await Uvlhub.Engine.RunAsync(TimeSpan.FromSeconds(30), Cancellation,
            "exec", Uvlhub.ContainerOf("rosemary_container"), "python", "-c",
            "from core.modules import ignored_modules; print(*ignored_modules())");
        Assert.Equal("webhook", read.Output);
        Assert.False(File.Exists(sample.Checkout.File(".moduleignore")));
    }
}
