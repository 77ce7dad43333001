using UvlhubAspire.Faults;
using Xunit;
using YamlDotNet.Serialization;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The published stack in a swarm of one node, which lives in a container: deploy, scale, update, roll back, lose.</summary>
public sealed class PublishedSwarmTests
{
    private const string Sql = """MYSQL_PWD="$(cat /run/secrets/mariadb_password)" exec mariadb -u"$MARIADB_USER" --batch --skip-column-names "$MARIADB_DATABASE" -e "$0" """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Production, "a broken release (swarm)", Happens = "rolled back by itself; no request fails meanwhile", Data = "not touched")]
    [Fault(FaultArea.Production, "a replica is killed (swarm)", Happens = "another takes its place", Data = "not touched")]
    [Fault(FaultArea.Production, "MariaDB's task is killed (swarm)", Happens = "another takes its place on the same volume; the site answers again", Data = "the row is there")]
    [Fact(Timeout = 900_000)]
    public async Task A_stack_is_deployed_scaled_updated_under_load_rolled_back_and_loses_neither_requests_nor_rows()
    {
        using var checkout = new SampleCheckout();
        var name = Uvlhub.NewInstance();
        var folder = Directory.CreateTempSubdirectory("uvlhub-aspire-swarm-");
        string[] settings = [$"--Uvlhub:Publish:Name={name}", "--Uvlhub:Gunicorn:Workers=1"];
        string[] versions = ["v1", "v2"];
        try
        {
            await Published.RunStepAsync("publish-swarm", folder.FullName, checkout, Cancellation, [.. settings, "--Uvlhub:Version=v1"]);
            foreach (var version in versions)
            {
                await Published.RunStepAsync("build-images", folder.FullName, checkout, Cancellation, [.. settings, $"--Uvlhub:Version={version}"]);
            }

            await using var engine = await InnerEngine.StartAsync($"{name}_engine", Cancellation);
            await engine.LoadAsync([.. SiteImages(name, versions), .. OtherImages(Path.Combine(folder.FullName, "swarm", "stack.yml"))], Cancellation);
            await engine.CopyAsync(Path.Combine(folder.FullName, "swarm"), "/stack", Cancellation);

            await DeployAndServeAsync(engine, name);
            await ScaleAsync(engine, name);
            await UpdateUnderLoadAsync(engine, name);
            await RollBackAsync(engine, name);
            await LoseAReplicaAsync(engine, name);
            await LoseTheDatabaseAsync(engine, name);
        }
        finally
        {
            foreach (var image in SiteImages(name, versions))
            {
                await Uvlhub.Engine.RunAsync(TimeSpan.FromSeconds(30), CancellationToken.None, "image", "rm", image);
            }

            folder.Delete(recursive: true);
        }
    }

    private static async Task DeployAndServeAsync(InnerEngine engine, string name)
    {
        await engine.RunAsync(Cancellation, "docker", "swarm", "init", "--advertise-addr", "127.0.0.1");
        await engine.RunAsync(Cancellation, "sh", "-c", "docker node update --label-add uvlhub.data=true $(docker node ls -q)");
        foreach (var secret in (string[])["mariadb_root_password", "mariadb_password", "secret_key"])
        {
            await engine.RunAsync(Cancellation, "sh", "-c", $"printf %s 'made up: $ {secret}' | docker secret create {name}_{secret} -");
        }

        await DeployAsync(engine, name, "v1");
        using var client = new HttpClient { BaseAddress = engine.Address };
        await EventuallyAsync(async () => (await client.GetAsync("/", Cancellation)).IsSuccessStatusCode);
        Assert.Equal("004", await SqlAsync(engine, name, "SELECT version_num FROM alembic_version"));
        await SqlAsync(engine, name, "INSERT INTO user (email, password_hash, created_at) VALUES ('kept@example.org', 'x', NOW())");
    }

    private static async Task ScaleAsync(InnerEngine engine, string name)
    {
        await engine.RunAsync(Cancellation, "docker", "service", "scale", "--detach", $"{name}_web=4");
        await EventuallyAsync(async () => (await HealthyAsync(engine, name)).Count == 4);
    }

    private static async Task UpdateUnderLoadAsync(InnerEngine engine, string name)
    {
        await using var load = new Load(engine.Address);
        await DeployAsync(engine, name, "v2", replicas: 4);
        await EventuallyAsync(async () =>
            await UpdateStateAsync(engine, name) == "completed" && (await HealthyAsync(engine, name)).All(replica => replica.Contains(":v2-", StringComparison.Ordinal)));
        Assert.Empty(load.Failures);
        Assert.True(load.Answered > 100, $"only {load.Answered} requests were answered");
    }

    private static async Task RollBackAsync(InnerEngine engine, string name)
    {
        await using var load = new Load(engine.Address);
        // Starts, and never becomes healthy.
        await engine.RunAsync(Cancellation, "docker", "service", "update", "--detach", "--args", "sh -c 'exit 1'", $"{name}_web");
        await EventuallyAsync(async () => await UpdateStateAsync(engine, name) == "rollback_completed");
        Assert.Empty(load.Failures);
        Assert.Equal(4, (await HealthyAsync(engine, name)).Count);
    }

    private static async Task LoseAReplicaAsync(InnerEngine engine, string name)
    {
        var lost = (await engine.RunAsync(Cancellation, "docker", "ps", "--quiet", "--filter", $"name={name}_web")).Split('\n')[0];
        await engine.RunAsync(Cancellation, "docker", "kill", lost);
        await EventuallyAsync(async () => (await HealthyAsync(engine, name)).Count == 4
            && !(await engine.RunAsync(Cancellation, "docker", "ps", "--quiet", "--filter", $"name={name}_web")).Contains(lost, StringComparison.Ordinal));
    }

    private static async Task LoseTheDatabaseAsync(InnerEngine engine, string name)
    {
        await engine.RunAsync(Cancellation, "sh", "-c", $"docker kill $(docker ps -q --filter name={name}_db)");
        using var client = new HttpClient { BaseAddress = engine.Address };
        await EventuallyAsync(async () => (await engine.RunAsync(Cancellation, "docker", "ps", "--filter", $"name={name}_db", "--filter", "health=healthy", "--quiet")).Length > 0);
        await EventuallyAsync(async () => (await client.GetAsync("/", Cancellation)).IsSuccessStatusCode);
        Assert.Equal("kept@example.org", await SqlAsync(engine, name, "SELECT email FROM user WHERE email = 'kept@example.org'"));
    }

    private static Task<string> DeployAsync(InnerEngine engine, string name, string version, int replicas = 2) => engine.RunAsync(Cancellation, "sh", "-c",
        $"cd /stack && VERSION={version}-debian WEB_REPLICAS={replicas} DOMAIN=localhost docker stack deploy --resolve-image never --compose-file stack.yml {name}");

    private static async Task<string> SqlAsync(InnerEngine engine, string name, string sql)
    {
        var database = await engine.RunAsync(Cancellation, "docker", "ps", "--quiet", "--filter", $"name={name}_db", "--filter", "health=healthy");
        return await engine.RunAsync(Cancellation, "docker", "exec", database, "sh", "-c", Sql, sql);
    }

    private static async Task<IReadOnlyList<string>> HealthyAsync(InnerEngine engine, string name) =>
        (await engine.RunAsync(Cancellation, "docker", "ps", "--format", "{{.Image}}", "--filter", $"name={name}_web", "--filter", "health=healthy"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static Task<string> UpdateStateAsync(InnerEngine engine, string name) =>
        engine.RunAsync(Cancellation, "docker", "service", "inspect", "--format", "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}", $"{name}_web");

    private static IEnumerable<string> SiteImages(string name, IEnumerable<string> versions) =>
        versions.SelectMany(version => new[] { $"{name}:{version}-debian", $"{name}-migrator:{version}-debian" });

    private static IEnumerable<string> OtherImages(string stack) =>
        new DeserializerBuilder().IgnoreUnmatchedProperties().Build().Deserialize<StackFile>(File.ReadAllText(stack)).Services.Values
            .Select(service => service.Image).Where(image => !image.Contains("${", StringComparison.Ordinal));

    private static async Task EventuallyAsync(Func<Task<bool>> condition)
    {
        while (true)
        {
            try
            {
                if (await condition())
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not yet; the test's own time-out ends this.
            }

            await Task.Delay(500, Cancellation);
        }
    }

    public sealed class StackFile
    {
        [YamlMember(Alias = "services")]
        public Dictionary<string, StackService> Services { get; set; } = [];
    }

    public sealed class StackService
    {
        [YamlMember(Alias = "image")]
        public string Image { get; set; } = "";
    }
}
