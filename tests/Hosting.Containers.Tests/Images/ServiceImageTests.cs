using System.Net;
using System.Runtime.Versioning;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

/// <summary>The stand-ins that are built in seconds.</summary>
[SupportedOSPlatform("linux")]
public sealed class ServiceImageTests
{
    private static readonly HttpClient s_client = new() { Timeout = TimeSpan.FromSeconds(10) };

    [Fact(Timeout = 300_000)]
    public async Task Nginx_serves_a_mounted_configuration_and_page_and_logs_to_the_engine()
    {
        using var files = new TemporaryFolder();
        files.Write(
            "nginx.conf",
            "user nginx;\nevents {}\nhttp { server { listen 80; error_page 404 /lost.html; location = /lost.html { root "
            + "/usr/share/nginx/html; } } }\n");
        files.Write("html/lost.html", "lost and found");
        TestContainer.Open(files);
        await using var container = await TestContainer.StartAsync("nginx",
            ["--publish", "127.0.0.1::80", "--volume", $"{files.Path}/nginx.conf:/etc/nginx/nginx.conf:ro", "--volume", $"{files.Path}/html:/usr/share/nginx/html:ro"]);

        var response = await GetAsync(container, 80, "/nothing?here");

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("lost and found", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        // The line follows the answer, on its way through the engine.
        await TestContainer.EventuallyAsync(async () =>
        {
            var log = await container.LogsAsync();
            Assert.Contains("\"GET /nothing?here HTTP/1.1\" 404", log, StringComparison.Ordinal);
            return log;
        });
    }

    [Fact(Timeout = 300_000)]
    public async Task Nginx_ends_at_once_and_well_when_it_is_stopped()
    {
        await using var container = await TestContainer.StartAsync("nginx", ["--publish", "127.0.0.1::80"]);
        await GetAsync(container, 80, "/");

        await TestContainer.DockerAsync("stop", "--time", "20", container.Name);

        Assert.Equal(0, await container.ExitCodeAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task Redis_answers_other_containers_and_keeps_its_data_over_a_restart()
    {
        await using var container = await TestContainer.StartAsync("redis", command: ["--appendonly", "yes"], volume: "/data");
        var address = await TestContainer.DockerAsync("inspect", "--format", "{{.NetworkSettings.IPAddress}}", container.Name);
        await using var client = await TestContainer.StartAsync("redis", command: ["sleep", "infinity"]);

        await AnswersAsync(client, "OK", "redis-cli", "-h", address, "SET", "key", "value");
        await container.RestartAsync();

        await AnswersAsync(container, "value", "redis-cli", "GET", "key");
        Assert.StartsWith("redis", (await container.ExecAsync("stat", "--format=%U", "/proc/1")).Output, StringComparison.Ordinal);
    }

    private static Task<string> AnswersAsync(
        TestContainer container, string answer, params string[] command) => TestContainer.EventuallyAsync(async () =>
    {
        var result = await container.ExecAsync(command);
        return result.Output == answer ? answer : throw new InvalidOperationException($"{result.Output}{result.Error}");
    });

    private static Task<HttpResponseMessage> GetAsync(
        TestContainer container, int port, string path) => TestContainer.EventuallyAsync(async () =>
        await s_client.GetAsync(
            new Uri($"http://127.0.0.1:{await container.PortAsync(port)}{path}"), TestContext.Current.CancellationToken));
}
