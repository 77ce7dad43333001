using CliWrap;
using CliWrap.Buffered;
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
    public async Task No_secret_is_written_and_none_is_left_out()
    {
        foreach (var file in Directory.EnumerateFiles(deployment.Everything, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != ".env"))
        {
            Assert.DoesNotContain(RunningProduction.Password, await File.ReadAllTextAsync(file, Cancellation), StringComparison.Ordinal);
        }

        var refused = await Cli.Wrap("docker").WithArguments(["compose", "--env-file", "/dev/null", "--project-directory", deployment.Folder, "config", "--quiet"])
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync(Cancellation);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("fill it in in .env", refused.StandardError, StringComparison.Ordinal);
    }

    [Fault(FaultArea.Production, "MariaDB is killed under four replicas (compose)", Happens = "the engine starts it again; the site answers again", Data = "the row is there")]
    [Fact(Timeout = 180_000)]
    public async Task Four_replicas_serve_and_rows_outlive_a_killed_database()
    {
        await deployment.ComposeAsync("up", "--detach", "--wait", "--no-recreate", "--scale", "web=4");
        await deployment.SqlAsync("INSERT INTO user (email, password_hash, created_at) VALUES ('kept@example.org', 'x', NOW())");

        using var client = deployment.CreateClient();
        var before = await deployment.ServedAsync();
        for (var i = 0; i < 80; i++)
        {
            (await client.GetAsync("/", Cancellation)).EnsureSuccessStatusCode();
        }

        var after = await deployment.ServedAsync();
        Assert.Equal(4, after.Count);
        Assert.All(after, replica => Assert.True(replica.Value > before.GetValueOrDefault(replica.Key) + 5, $"{replica.Key} served nothing"));

        // The process itself, for what 'docker kill' ends stays ended.
        await deployment.InsideAsync("db", "sh", "-c", "for process in /proc/[0-9]*; do grep -q mariadbd $process/comm && kill -9 ${process#/proc/}; done");
        while ((await client.GetAsync("/", Cancellation)) is { IsSuccessStatusCode: false } || await deployment.StateAsync("db") != "running healthy")
        {
            await Task.Delay(300, Cancellation);
        }

        Assert.Equal("kept@example.org", await deployment.SqlAsync("SELECT email FROM user WHERE email = 'kept@example.org'"));
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
            File.Move(Checkout.File(".env"), Checkout.File(".env.production"));
            string[] settings = [$"--Uvlhub:Publish:Name={_name}", "--Uvlhub:Version=v1", "--Uvlhub:Gunicorn:Workers=1"];
            await Published.RunStepAsync("publish", _folder.FullName, Checkout, TestContext.Current.CancellationToken, settings);
            await Published.RunStepAsync("build-images", _folder.FullName, Checkout, TestContext.Current.CancellationToken, settings);
            await File.WriteAllTextAsync(Path.Combine(Folder, ".env"), Published.FillIn(await File.ReadAllTextAsync(Path.Combine(Folder, ".env.template")), new Dictionary<string, string>
            {
                // Compose reads quotes, dollars and hashes in a value; the container must get what was meant.
                ["MARIADB_ROOT_PASSWORD"] = $"{RunningProduction.Password} $root #1",
                ["MARIADB_PASSWORD"] = $"{RunningProduction.Password}$site",
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
            var result = await Uvlhub.Engine.RunAsync(s_limit, TestContext.Current.CancellationToken, ["compose", "--project-directory", Folder, .. arguments]);
            return result.Succeeded ? result.Output : throw new InvalidOperationException($"compose {string.Join(' ', arguments)}: {result.Error}");
        }

        public Task<string> InsideAsync(string service, params string[] command) => ComposeAsync(["exec", "-T", service, .. command]);

        public Task<string> SqlAsync(string sql) => InsideAsync(
            "db", "sh", "-c", """MYSQL_PWD="$MARIADB_PASSWORD" exec mariadb -u"$MARIADB_USER" --batch --skip-column-names "$MARIADB_DATABASE" -e "$0" """, sql);

        public async Task<string> StateAsync(string service) => (await ComposeAsync("ps", "--all", "--format", "{{.State}} {{.Health}}", service)).Trim();

        /// <summary>How many requests each replica has had, by what its kernel counts: the connections that it accepted.</summary>
        public async Task<Dictionary<string, long>> ServedAsync()
        {
            var served = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var container in (await ComposeAsync("ps", "--quiet", "web")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var counted = await Uvlhub.Engine.RunAsync(s_limit, TestContext.Current.CancellationToken,
                    "exec", container, "awk", "/^Tcp:/ && $6 ~ /[0-9]/ { print $7 }", "/proc/net/snmp");
                served[container] = long.Parse(counted.Output, System.Globalization.CultureInfo.InvariantCulture);
            }

            return served;
        }

        public async ValueTask DisposeAsync()
        {
            await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "compose", "--project-directory", Folder, "down", "--volumes", "--timeout", "5");
            foreach (var image in (string[])[$"{_name}:v1-debian", $"{_name}-migrator:v1-debian"])
            {
                await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", image);
            }

            _folder.Delete(recursive: true);
            Checkout.Dispose();
        }
    }
}
