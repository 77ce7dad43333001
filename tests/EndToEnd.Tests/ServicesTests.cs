using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The services beside the site, each talked to as the site or a person does.</summary>
[Collection(ServicesGroup.Name)]
public sealed class ServicesTests(RunningServices services, RunningSample sample)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Nginx_serves_the_site_as_soon_as_both_are_healthy()
    {
        // The sample that no test stops: here the site's container may just have been replaced.
        await sample.Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("nginx", Cancellation);
        using var client = new HttpClient { BaseAddress = sample.Uvlhub.EndpointOf("nginx", "http") };
        Assert.Contains("MINIHUB", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Nginx_shows_the_checkouts_page_while_the_site_is_down_and_the_site_as_soon_as_it_is_back()
    {
        using var client = new HttpClient { BaseAddress = services.NginxUrl, Timeout = TimeSpan.FromSeconds(10) };
        var page = await File.ReadAllTextAsync(
            Path.Combine(UvlhubAspire.Checkout.RepositoryFolder.BundledSample, "docker/nginx/html/502.html"), Cancellation);

        await services.CommandAsync("web", "stop");
        var down = await Eventually.IsAsync(AnswerAsync, answer => answer.Status == HttpStatusCode.BadGateway);
        Assert.Equal(page, down.Page);

        await services.CommandAsync("web", "start");
        var up = await Eventually.IsAsync(AnswerAsync, answer => answer.Status == HttpStatusCode.OK);
        Assert.Contains("MINIHUB", up.Page, StringComparison.Ordinal);

        async Task<(HttpStatusCode Status, string Page)> AnswerAsync()
        {
            using var answer = await client.GetAsync("/", Cancellation);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Nginx_passes_on_what_the_site_says_while_the_migrator_has_locked_it_out()
    {
        using var client = new HttpClient { BaseAddress = services.NginxUrl, Timeout = TimeSpan.FromSeconds(10) };
        await Eventually.TrueAsync(async () => (await client.GetAsync("/", Cancellation)).StatusCode == HttpStatusCode.OK);
        var backup = await services.Uvlhub.RunCommandAsync("migrator", "backup", [], Cancellation);
        Assert.True(backup.Success, backup.Message);

        var restoring = services.Uvlhub.RunCommandAsync("migrator", "restore", [("snapshot", backup.Data!.Value.Trim())], Cancellation);
        List<(HttpStatusCode Status, string Page)> answers = [];
        while (!restoring.IsCompleted)
        {
            using var answer = await client.GetAsync("/", Cancellation);
            answers.Add((answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation)));
        }

        Assert.True((await restoring).Success, (await restoring).Message);
        Assert.All(answers, answer => Assert.True(
            answer.Status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, $"{(int)answer.Status}\n{answer.Page}"));
        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.ServiceUnavailable
            && answer.Page.Contains("<h1>The database is being put in order</h1>", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Redis_answers_on_the_host()
    {
        var endpoint = services.Uvlhub.EndpointOf("redis", "tcp");
        using var client = new TcpClient();
        await client.ConnectAsync(endpoint.Host, endpoint.Port, Cancellation);
        await using var stream = client.GetStream();
        await stream.WriteAsync("SET greeting hello\r\nGET greeting\r\n"u8.ToArray(), Cancellation);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.Equal(
            ["+OK", "$5", "hello"],
            [await reader.ReadLineAsync(Cancellation), await reader.ReadLineAsync(Cancellation), await reader.ReadLineAsync(Cancellation)]);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("redis", 6379)]
    [InlineData("nginx", 80)]
    [InlineData("nginx_web_server_container", 80)]
    [InlineData("web_app_container", 5000)]
    [InlineData("mariadb_container", 3306)]
    public async Task A_service_is_reached_by_the_names_that_it_has_under_compose(string name, int port)
    {
        var connected = await Uvlhub.Engine.RunAsync(TimeSpan.FromSeconds(30), Cancellation,
            "exec", services.Uvlhub.ContainerOf("rosemary_container"), "python", "-c",
            $"import socket; socket.create_connection(('{name}', {port}), 5)");
        Assert.True(connected.Succeeded, connected.Error);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_container_from_outside_reaches_the_services_through_the_tutorials_network()
    {
        var reached = await Uvlhub.Engine.RunAsync(TimeSpan.FromSeconds(30), Cancellation,
            "run", "--rm", "--network", services.Uvlhub.ContainerOf("uvlhub_network"), "--entrypoint", "getent", await services
                .InspectAsync("redis_container", ".Config.Image"),
            "hosts", "web", "db", "nginx_web_server_container");
        Assert.True(reached.Succeeded, reached.Error);
        Assert.Equal(3, reached.Output.Split('\n').Length);
    }

    [Fact(Timeout = 60_000)]
    public async Task Two_instances_run_side_by_side()
    {
        using var first = sample.Uvlhub.CreateClient();
        using var second = services.Uvlhub.CreateClient();
        Assert.NotEqual(first.BaseAddress, second.BaseAddress);
        Assert.Equal(HttpStatusCode.OK, (await first.GetAsync("/", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await second.GetAsync("/", Cancellation)).StatusCode);
        Assert.NotEqual(
            new Uri(await sample.Uvlhub.DashboardLoginUrlAsync(Cancellation)).Port,
            new Uri(await services.Uvlhub.DashboardLoginUrlAsync(Cancellation)).Port);

        // Each has a database of its own.
        await using var connection = await services.Uvlhub.ConnectAsync("uvlhubdb", Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "CREATE TABLE side_by_side (id INT)";
        await command.ExecuteNonQueryAsync(Cancellation);
        Assert.Equal(
            "0",
            await sample.Uvlhub.ScalarAsync(
                "uvlhubdb", "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'side_by_side'", Cancellation));
    }
}
