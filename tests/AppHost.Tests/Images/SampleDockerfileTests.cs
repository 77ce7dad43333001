using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Images;

/// <summary>The six Dockerfiles of uvlhub's contract, on the stand-ins for their bases.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class SampleDockerfileTests : IDisposable
{
    private static readonly ContainerEngine s_engine = new("docker");
    private readonly TemporaryFolder _folder = new();
    private readonly string _name = $"uvlhub-images-tests-{Guid.NewGuid():N}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory(Timeout = 300_000)]
    [InlineData("Dockerfile.dev", "flask", "test -d rosemary")]
    [InlineData("Dockerfile.prod", "flask", "test -f app/__init__.py")]
    [InlineData("Dockerfile.webhook", "flask", "test -x scripts/wait-for-db.sh")]
    [InlineData("Dockerfile.locust", "locust", "test \"$PYTHONPATH\" = /app")]
    public async Task It_builds_and_has_what_it_copies(string file, string standIn, string check)
    {
        var image = await BuildAsync(file, standIn);
        try
        {
            await TestContainer.DockerAsync("run", "--rm", "--entrypoint", "sh", image, "-c", check);
        }
        finally
        {
            await RemoveAsync("image", "rm", image);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task The_databases_is_mariadb_and_adds_nothing_to_it()
    {
        var dockerfile = Path.Combine(RepositoryFolder.BundledSample, "docker", "images", "Dockerfile.mariadb");
        Assert.Equal("FROM mariadb:12.0.2", (await File.ReadAllTextAsync(dockerfile, Cancellation)).Trim());

        // The stand-in has what the base has; so the image of this Dockerfile is the stand-in, layer by layer.
        var image = await BuildAsync("Dockerfile.mariadb", "mariadb");
        try
        {
            Assert.Equal(await DescribeAsync(await TestContainer.EnsureImageAsync("mariadb")), await DescribeAsync(image));
        }
        finally
        {
            await RemoveAsync("image", "rm", image);
        }

        static Task<string> DescribeAsync(string name) => TestContainer.DockerAsync(
            "image", "inspect", "--format",
            "{{json .RootFS.Layers}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.User}} {{json .Config.Env}}", name);
    }

    [Fact(Timeout = 300_000)]
    public async Task Render_migrates_an_external_database_and_serves_from_one_container_on_port_80()
    {
        var image = await BuildAsync("Dockerfile.render", "flask");
        try
        {
            await TestContainer.DockerAsync("network", "create", _name);
            await using var database = await TestContainer.StartAsync("mariadb", ["--network", _name,
                "--env", "MARIADB_ROOT_PASSWORD=root-of-a-test", "--env", "MARIADB_DATABASE=uvlhubdb", "--env", "MARIADB_USER=site",
                "--env", "MARIADB_PASSWORD=of-a-test"],
                volume: "/var/lib/mysql");
            // It is somebody else's, and has been there before.
            await TestContainer.EventuallyAsync(
                () => TestContainer.DockerAsync(
                    "exec", "--env", "MYSQL_PWD=of-a-test", database.Name, "mariadb", "--host=127.0.0.1", "--user=site",
                    "--execute=SELECT 1", "uvlhubdb"));
            await TestContainer.DockerAsync("run", "--detach", "--name", _name, "--network", _name, "--publish", "127.0.0.1:0:80",
                "--env", "FLASK_APP_NAME=MINIHUB", "--env", "FLASK_ENV=production", "--env", "WORKING_DIR=/app/",
                "--env", $"MARIADB_HOSTNAME={database.Name}", "--env", "MARIADB_PORT=3306", "--env", "MARIADB_DATABASE=uvlhubdb", "--env",
                "MARIADB_USER=site", "--env", "MARIADB_PASSWORD=of-a-test",
                image);
            using var client = new HttpClient { BaseAddress = new Uri($"http://{await TestContainer.DockerAsync("port", _name, "80/tcp")}") };
            Assert.Contains(
                "MINIHUB", await TestContainer.EventuallyAsync(() => client.GetStringAsync("/", Cancellation), TimeSpan.FromMinutes(3)),
                StringComparison.Ordinal);
            Assert.Equal("webhook", await TestContainer.DockerAsync("exec", _name, "cat", ".moduleignore"));
        }
        finally
        {
            await RemoveAsync("rm", "--force", "--volumes", _name);
            await RemoveAsync("network", "rm", _name);
            await RemoveAsync("image", "rm", image);
        }
    }

    private async Task<string> BuildAsync(string file, string standIn)
    {
        var @base = ImageRecipe.StandIn(RepositoryFolder.StandIn(standIn));
        var dockerfile = Dockerfile.Read(Path.Combine(RepositoryFolder.BundledSample, "docker", "images", file));
        var recipe = new ImageRecipe(
            $"{_name}:{file.ToLowerInvariant()}", _folder.Write(file, SiteDockerfile.OnStandIn(dockerfile, @base.Image)),
            RepositoryFolder.BundledSample, NeedsDebianBase: false, IsContentTagged: false)
        {
            Base = @base,
            Target = SiteDockerfile.CheckoutStage,
        };
        await new ImageBuilder(s_engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, Cancellation);
        return recipe.Image;
    }

    private static Task<EngineResult> RemoveAsync(params string[] arguments) =>
        s_engine.RunAsync(TimeSpan.FromSeconds(30), CancellationToken.None, arguments);
}
