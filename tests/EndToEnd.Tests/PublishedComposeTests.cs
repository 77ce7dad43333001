using System.Globalization;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The published compose file, brought up by compose alone: no AppHost, no .NET, no checkout.</summary>
public sealed class PublishedComposeTests(PublishedComposeTests.Deployment deployment) : IClassFixture<PublishedComposeTests.Deployment>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task It_migrates_serves_and_asks_for_health()
    {
        using var client = deployment.CreateClient();
        Assert.Contains("MINIHUB", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.Equal("004", await deployment.SqlAsync("SELECT version_num FROM alembic_version"));
        // One line for each replica; another test may have made them four.
        Assert.All((await deployment.StateAsync("web")).Split('\n'), state => Assert.Equal("running healthy", state));
        Assert.Equal("running healthy", await deployment.StateAsync("db"));
        Assert.Equal("exited", await deployment.StateAsync("migrator"));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_code_has_no_capability_there_either_and_nothing_can_gain_any()
    {
        Assert.Equal(ContainerPower.None, await PowerAsync("web"));
        Assert.False((await PowerAsync("db")).MayGainMore);
        Assert.False((await PowerAsync("nginx")).MayGainMore);
        Assert.Equal(
            "[ALL] [no-new-privileges]", await Uvlhub.EngineAsync(
                TimeSpan.FromSeconds(30), Cancellation, "container", "inspect", "--format", "{{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}",
                await deployment.ComposeAsync("ps", "--all", "--quiet", "migrator")));

        async Task<ContainerPower> PowerAsync(string service) =>
            ContainerPower.Read(await deployment.InsideAsync(service, "cat", "/proc/1/status"));
    }

    [Fact(Timeout = 60_000)]
    public async Task No_secret_is_written()
    {
        var files = Directory.EnumerateFiles(deployment.Everything, "*", SearchOption.AllDirectories);
        foreach (var file in files.Where(file => Path.GetFileName(file) != ".env"))
        {
            var text = await File.ReadAllTextAsync(file, Cancellation);
            Assert.All(
                (string[])[RunningProduction.Password, RunningProduction.RootPassword, RunningProduction.WebhookToken],
                secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_setting_that_has_no_value_is_asked_for_by_its_name()
    {
        var filled = await File.ReadAllLinesAsync(Path.Combine(deployment.Folder, ".env"), Cancellation);
        var template = await File.ReadAllLinesAsync(Path.Combine(deployment.Folder, ".env.template"), Cancellation);
        string[] asked = [.. template.Where(line => line.EndsWith('=') && !line.StartsWith('#')).Select(line => line[..^1])];
        Assert.Empty(((string[])["MARIADB_ROOT_PASSWORD", "MARIADB_PASSWORD", "SECRET_KEY"]).Except(asked));
        await RefusedAsync("");
        foreach (var name in asked)
        {
            var refusal = await RefusedAsync(name);
            Assert.Contains(name, refusal, StringComparison.Ordinal);
            Assert.Contains("fill it in in .env", refusal, StringComparison.Ordinal);
        }

        async Task<string> RefusedAsync(string without)
        {
            using var folder = new TemporaryFolder();
            var file = folder.Write("settings", string.Join('\n', filled.Where(line => line.Split('=')[0] != without)));
            var result = await Uvlhub.Engine.RunAsync(
                TimeSpan.FromSeconds(30), Cancellation,
                "compose", "--env-file", file, "--project-directory", deployment.Folder, "config", "--quiet");
            Assert.True(result.Succeeded == (without.Length == 0), $"without '{without}': {result.ExitCode} {result.Error}");
            return result.Error;
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Four_replicas_serve_alike()
    {
        await deployment.ScaleAsync(4);
        using var client = deployment.CreateClient();
        var before = await deployment.ServedAsync();
        for (var i = 0; i < 80; i++)
        {
            (await client.GetAsync("/", Cancellation)).EnsureSuccessStatusCode();
        }

        var after = await deployment.ServedAsync();
        Assert.Equal(4, after.Count);
        Assert.All(
            after, replica => Assert.True(replica.Value > before.GetValueOrDefault(replica.Key) + 5, $"{replica.Key} served nothing"));
    }

    [Fault(FaultArea.Production, "MariaDB is killed under four replicas (compose)")]
    [Fact(Timeout = 180_000)]
    public async Task Rows_outlive_a_killed_database()
    {
        await deployment.ScaleAsync(4);
        using var visitor = new Visitor(deployment.Address!);
        await visitor.SignUpAsync(Cancellation);
        var upload = await visitor.UploadAsync(Cancellation);
        var (rows, starts) = (await RowsAsync(), await RestartsAsync());

        // The process itself, for what 'docker kill' ends stays ended.
        await deployment.InsideAsync(
            "db", "sh", "-c", "for process in /proc/[0-9]*; do grep -q mariadbd $process/comm && kill -9 ${process#/proc/}; done");
        await Proof.HappensAsync("the engine starts it again", async () =>
        {
            await Eventually.IsAsync(RestartsAsync, restarts => restarts == starts + 1, what: "one more restart");
            await Eventually.IsAsync(() => deployment.StateAsync("db"), state => state == "running healthy", what: "a healthy database");
        });
        await Proof.HappensAsync("the site answers again, to who was logged in as well", () =>
            Eventually.TrueAsync(
                async () => (await visitor.ReadAsync("/", Cancellation)).Contains(Visitor.LoggedIn, StringComparison.Ordinal)));
        Proof.Data("every user and feature model is there", rows, await RowsAsync());
        Assert.Equal(upload.Text, await visitor.DownloadAsync(upload, Cancellation));

        Task<string> RowsAsync() => deployment.SqlAsync("SELECT * FROM user ORDER BY id; SELECT * FROM feature_model ORDER BY id");

        async Task<int> RestartsAsync() => int.Parse(
            await Uvlhub.EngineAsync(
                TimeSpan.FromSeconds(30), Cancellation,
                "container", "inspect", "--format", "{{.RestartCount}}", await deployment.ComposeAsync("ps", "--all", "--quiet", "db")),
            CultureInfo.InvariantCulture);
    }

    /// <summary>The compose project, under a name of its own.</summary>
    public sealed class Deployment : IAsyncLifetime
    {
        private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-compose-");
        private readonly string _name = Uvlhub.NewInstance();

        public SampleCheckout Checkout { get; } = new();

        public string Everything => _folder.FullName;

        public string Folder => Path.Combine(_folder.FullName, "compose");

        public async ValueTask InitializeAsync()
        {
            RunningProduction.FillIn(Checkout);
            await File.AppendAllTextAsync(
                Checkout.File(".env"), $"\nWEBHOOK_TOKEN={RunningProduction.WebhookToken}\n", TestContext.Current.CancellationToken);
            File.Move(Checkout.File(".env"), Checkout.File(".env.production"));
            string[] settings = [$"--Uvlhub:Publish:Name={_name}", "--Uvlhub:Version=v1", "--Uvlhub:Gunicorn:Workers=1"];
            await Published.RunStepAsync("publish", _folder.FullName, Checkout, TestContext.Current.CancellationToken, settings);
            await Published.RunStepAsync("build-images", _folder.FullName, Checkout, TestContext.Current.CancellationToken, settings);
            await File.WriteAllTextAsync(
                Path.Combine(Folder, ".env"),
                Published.FillIn(await File.ReadAllTextAsync(Path.Combine(Folder, ".env.template")), new Dictionary<string, string>
                {
                    // Compose reads quotes, dollars and hashes in a value; the container must get what was meant.
                    ["MARIADB_ROOT_PASSWORD"] = $"{RunningProduction.Password} $root #1",
                    ["MARIADB_PASSWORD"] = $"{RunningProduction.Password}$site",
                    ["WEBHOOK_TOKEN"] = "another token",
                    ["SECRET_KEY"] = "a key that a test made up",
                    ["HTTP_PORT"] = "127.0.0.1:0",
                }));
            await ComposeAsync("up", "--detach", "--wait");
            Address = new Uri($"http://{await ComposeAsync("port", "nginx", "80")}");
        }

        public Uri? Address { get; private set; }

        public HttpClient CreateClient() => new() { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(30) };

        public async Task<string> ComposeAsync(params string[] arguments)
        {
            var result = await Uvlhub.Engine.RunAsync(
                s_limit, TestContext.Current.CancellationToken, ["compose", "--project-directory", Folder, .. arguments]);
            return result.Succeeded
                ? result.Output
                : throw new InvalidOperationException($"compose {string.Join(' ', arguments)}: {result.Error}");
        }

        public Task<string> ScaleAsync(int replicas) =>
            ComposeAsync("up", "--detach", "--wait", "--no-recreate", "--scale", $"web={replicas}");

        public Task<string> InsideAsync(string service, params string[] command) => ComposeAsync(["exec", "-T", service, .. command]);

        public Task<string> SqlAsync(string sql) => InsideAsync(
            "db", "sh", "-c",
            """MYSQL_PWD="$MARIADB_PASSWORD" exec mariadb -u"$MARIADB_USER" --batch --skip-column-names "$MARIADB_DATABASE" -e "$0" """,
            sql);

        public async Task<string> StateAsync(string service) =>
            (await ComposeAsync("ps", "--all", "--format", "{{.State}} {{.Health}}", service)).Trim();

        /// <summary>How many requests each replica has had, by what its kernel counts: the connections that it accepted.</summary>
        public async Task<Dictionary<string, long>> ServedAsync()
        {
            var served = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var container in (await ComposeAsync("ps", "--quiet", "web")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var counted = await Uvlhub.Engine.RunAsync(s_limit, TestContext.Current.CancellationToken,
                    "exec", container, "awk", "/^Tcp:/ && $6 ~ /[0-9]/ { print $7 }", "/proc/net/snmp");
                served[container] = long.Parse(counted.Output, CultureInfo.InvariantCulture);
            }

            return served;
        }

        public async ValueTask DisposeAsync()
        {
            await Uvlhub.Engine.RunAsync(
                s_limit, CancellationToken.None, "compose", "--project-directory", Folder, "down", "--volumes", "--timeout", "5");
            foreach (var image in (string[])[$"{_name}:v1-debian", $"{_name}-migrator:v1-debian"])
            {
                await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", image);
            }

            _folder.Delete(recursive: true);
            Checkout.Dispose();
        }
    }
}
