using System.Net.Http.Json;
using System.Text.Json;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

/// <summary>The stand-ins whose first build takes minutes, one after the other so that they do not build at once.</summary>
[Trait("Cost", "Heavy")]
public sealed class HeavyImageTests : IAsyncLifetime
{
    private static readonly HttpClient s_client = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly string _network = $"uvlhub-images-tests-{Guid.NewGuid():N}";

    public async ValueTask InitializeAsync() => await TestContainer.DockerAsync("network", "create", _network);

    public async ValueTask DisposeAsync() => await TestContainer.DockerAsync("network", "rm", _network);

    [Fact(Timeout = 900_000)]
    public async Task Adminer_logs_in_to_the_server_that_its_form_is_filled_in_with()
    {
        await using var database = await StartAsync("mariadb", "db", ["--env", "MARIADB_ROOT_PASSWORD=root"]);
        await using var adminer = await StartAsync(
            "adminer", "adminer", ["--publish", "127.0.0.1::8080", "--env", "ADMINER_DEFAULT_SERVER=db"]);
        var form = await GetAsync(adminer, 8080, "/");
        Assert.Contains("name=\"auth[server]\" value=\"db\"", form, StringComparison.Ordinal);

        await TestContainer.EventuallyAsync(async () =>
        {
            using var login = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["auth[driver]"] = "server",
                ["auth[server]"] = "db",
                ["auth[username]"] = "root",
                ["auth[password]"] = "root",
                ["auth[db]"] = "",
            });
            using var response = await s_client.PostAsync(await UrlAsync(adminer, 8080, "/"), login, TestContext.Current.CancellationToken);
            var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            return page.Contains("performance_schema", StringComparison.Ordinal) ? page : throw new InvalidOperationException(page);
        });
    }

    [Fact(Timeout = 900_000)]
    public async Task Maildev_shows_a_mail_that_it_took()
    {
        await using var mail = await StartAsync("maildev", "mailhog", ["--publish", "127.0.0.1::8025"]);
        await using var sender = await StartAsync("flask", "sender", [], ["sleep", "infinity"]);
        Assert.Contains("<html", await GetAsync(mail, 8025, "/"), StringComparison.OrdinalIgnoreCase);

        var sent = await sender.ExecAsync("python", "-c",
            "import smtplib\nwith smtplib.SMTP('mailhog', 1025) as server: server.sendmail('a@example.com', ['b@example.com'], 'Subject: "
            + "Confirm\\n\\nThe link')");

        Assert.True(sent.Succeeded, sent.Error);
        var mails = await s_client.GetFromJsonAsync<JsonElement>(
            await UrlAsync(mail, 8025, "/email"), TestContext.Current.CancellationToken);
        Assert.Equal("Confirm", mails[0].GetProperty("subject").GetString());
    }

    [Fact(Timeout = 900_000)]
    public async Task Locust_finds_the_files_of_the_checkout()
    {
        using var checkout = new TemporaryFolder();
        checkout.Write(
            "core/bootstraps/locustfile_bootstrap.py",
            "from locust import HttpUser, task\nimport bs4, dotenv, faker\n\n\nclass Visitor(HttpUser):\n    @task\n    def look(self):\n "
            + "       self.client.get('/')\n");
        if (OperatingSystem.IsLinux())
        {
            TestContainer.Open(checkout);
        }

        await using var locust = await StartAsync(
            "locust", "locust",
            ["--publish", "127.0.0.1::8089", "--volume", $"{checkout.Path}:/workspace:ro", "--env", "PYTHONPATH=/workspace"]);

        Assert.Contains("<title>Locust", await GetAsync(locust, 8089, "/"), StringComparison.OrdinalIgnoreCase);
        var task = await locust.ExecAsync("locust", "--locustfile", "/workspace/core/bootstraps/locustfile_bootstrap.py", "--list");
        Assert.Contains("Visitor", task.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 900_000)]
    public async Task Certbot_gets_a_certificate_from_pebble_through_nginx()
    {
        using var files = new TemporaryFolder();
        files.Write("nginx.conf", "events {}\nhttp { server { listen 80; location /.well-known { root /var/www; } } }\n");
        files.Write("www/index.html", "");
        if (OperatingSystem.IsLinux())
        {
            TestContainer.Open(files);
        }

        await using var pebble = await StartAsync("pebble", "pebble", []);
        await using var nginx = await StartAsync(
            "nginx", "uvlhub.test",
            ["--volume", $"{files.Path}/nginx.conf:/etc/nginx/nginx.conf:ro", "--volume", $"{files.Path}/www:/var/www:ro"]);
        await TestContainer.EventuallyAsync(async () =>
            (await pebble.LogsAsync()).Contains("ACME directory available", StringComparison.Ordinal)
                ? pebble
                : throw new InvalidOperationException("pebble does not listen yet"));
        await TestContainer.EventuallyAsync(async () =>
            (await nginx.ExecAsync("curl", "--silent", "http://localhost/")).Succeeded
                ? nginx
                : throw new InvalidOperationException("nginx does not listen yet"));
        await TestContainer.DockerAsync("cp", $"{pebble.Name}:/etc/pebble/tls/cert.pem", $"{files.Path}/pebble.pem");
        await using var certbot = await StartAsync("certbot", "certbot",
            ["--env", "REQUESTS_CA_BUNDLE=/pebble.pem", "--volume", $"{files.Path}/pebble.pem:/pebble.pem:ro", "--volume", $"{files.Path}/www:/var/www"],
            ["certonly", "--webroot", "--webroot-path", "/var/www", "--domain", "uvlhub.test", "--server", "https://pebble:14000/dir", "--email", "a@example.com", "--agree-tos", "--non-interactive"]);

        Assert.True(await certbot.ExitCodeAsync() == 0, await certbot.LogsAsync());
        Assert.Contains("Successfully received certificate.", await certbot.LogsAsync(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 900_000)]
    public async Task The_registry_takes_an_image()
    {
        await using var registry = await StartAsync("registry", "registry", ["--publish", "127.0.0.1::5000"]);
        await GetAsync(registry, 5000, "/v2/");
        var name = $"127.0.0.1:{await registry.PortAsync(5000)}/uvlhub:1";
        await TestContainer.DockerAsync("tag", await TestContainer.EnsureImageAsync("registry"), name);
        try
        {
            await TestContainer.DockerAsync("push", "--quiet", name);
        }
        finally
        {
            await TestContainer.DockerAsync("rmi", name);
        }

        Assert.Contains("\"uvlhub\"", await GetAsync(registry, 5000, "/v2/_catalog"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 900_000)]
    public async Task The_grid_runs_a_browser_for_a_client_and_takes_its_files()
    {
        await using var hub = await StartAsync("selenium", "selenium-hub", ["--publish", "127.0.0.1::4444"]);
        await using var node = await StartAsync(
            "selenium", "selenium-chrome", ["--shm-size", "512m", "--env", "SE_EVENT_BUS_HOST=selenium-hub"]);
        await using var site = await StartAsync("nginx", "site", []);
        await using var client = await StartAsync("flask", "client", [], ["sleep", "infinity"]);
        await TestContainer.EventuallyAsync(async () =>
        {
            var status = await GetAsync(hub, 4444, "/status");
            return status.Contains("\"browserName\": \"chrome\"", StringComparison.Ordinal)
                ? status
                : throw new InvalidOperationException(status);
        });

        // Both paths that clients use; an upload, which is how uvlhub's tests send their models.
        const string program = """
            from selenium import webdriver
            from selenium.webdriver.common.by import By
            for path in ("", "/wd/hub"):
                driver = webdriver.Remote(command_executor="http://selenium-hub:4444" + path, options=webdriver.ChromeOptions())
                driver.get("http://site/")
                print(driver.title)
                driver.get("data:text/html,<input type=file>")
                driver.find_element(By.TAG_NAME, "input").send_keys("/etc/hostname")
                print(driver.execute_script("return document.querySelector('input').files[0].name"))
                driver.quit()
            """;
        var result = await client.ExecAsync("python", "-c", program);

        Assert.True(result.Succeeded, result.Error);
        Assert.Equal("nginx\nhostname\nnginx\nhostname", result.Output);
    }

    private Task<TestContainer> StartAsync(string folder, string alias, string[] options, string[]? command = null) =>
        TestContainer.StartAsync(folder, ["--network", _network, "--network-alias", alias, .. options], command);

    private static async Task<Uri> UrlAsync(TestContainer container, int port, string path) =>
        new($"http://127.0.0.1:{await container.PortAsync(port)}{path}");

    private static Task<string> GetAsync(TestContainer container, int port, string path) => TestContainer.EventuallyAsync(async () =>
        await s_client.GetStringAsync(await UrlAsync(container, port, path), TestContext.Current.CancellationToken));
}
