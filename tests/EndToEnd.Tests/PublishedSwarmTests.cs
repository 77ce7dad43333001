using Xunit;
using YamlDotNet.Serialization;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The published stack in a swarm of two nodes, which live in a container each: deploy, spread, update, roll back, drain, lose.</summary>
public sealed class PublishedSwarmTests
{
    private const string Sql = """MYSQL_PWD="$(cat /run/secrets/mariadb_password)" exec mariadb -u"$MARIADB_USER" --batch --skip-column-names "$MARIADB_DATABASE" -e "$0" """;
    private const string SharedFolder = "/mnt/uploads";
    private const int Replicas = 4;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Production, "a broken release (swarm)", Happens = "rolled back by itself; no request fails meanwhile", Data = "not touched")]
    [Fault(FaultArea.Production, "a replica is killed (swarm)", Happens = "another takes its place", Data = "not touched")]
    [Fault(FaultArea.Production, "MariaDB's task is killed (swarm)", Happens = "another takes its place on the same volume; the site answers again", Data = "the row is there")]
    [Fault(FaultArea.Production, "a node without the data is lost (swarm)", Happens = "every request after that is answered by the other node, which takes its replicas over", Data = "the row is there")]
    [Fact(Timeout = 900_000)]
    public async Task A_stack_is_deployed_scaled_updated_under_load_rolled_back_and_loses_neither_requests_nor_rows()
    {
        using var checkout = new SampleCheckout();
        var name = Uvlhub.NewInstance();
        var folder = Directory.CreateTempSubdirectory("uvlhub-aspire-swarm-");
        string[] versions = ["v1", "v2"];
        List<string> images = [];
        try
        {
            await Uvlhub.EngineAsync(s_limit, Cancellation, "network", "create", $"{name}_nodes");
            await using var registry = await LocalRegistry.StartAsync($"{name}_registry", Cancellation);
            await Uvlhub.EngineAsync(s_limit, Cancellation, "network", "connect", $"{name}_nodes", $"{name}_registry");
            images.AddRange(versions.SelectMany(version => new[] { $"{registry.Address}/{name}:{version}-debian", $"{registry.Address}/{name}-migrator:{version}-debian" }));
            string[] settings = [$"--Uvlhub:Publish:Name={name}", $"--Uvlhub:Publish:Registry={registry.Address}", "--Uvlhub:Gunicorn:Workers=1"];
            await Published.RunStepAsync("publish-swarm", folder.FullName, checkout, Cancellation, [.. settings, "--Uvlhub:Version=v1"]);
            foreach (var version in versions)
            {
                await Published.RunStepAsync("push-images", folder.FullName, checkout, Cancellation, [.. settings, $"--Uvlhub:Version={version}"]);
            }

            string[] options = ["--network", $"{name}_nodes", "--volume", $"{name}_shared:{SharedFolder}"];
            await using var manager = await InnerEngine.StartAsync($"{name}_manager", Cancellation, options);
            await using var worker = await InnerEngine.StartAsync($"{name}_worker", Cancellation, options);
            var swarm = new Swarm(name, manager, worker);
            await Task.WhenAll(swarm.Nodes.Select(async node =>
            {
                await node.ReachRegistryAsync(registry.Address, $"{name}_registry", Cancellation);
                // Those of the site are pulled.
                await node.LoadAsync(OtherImages(Path.Combine(folder.FullName, "swarm", "stack.yml")), Cancellation);
            }));
            await manager.CopyAsync(Path.Combine(folder.FullName, "swarm"), "/stack", Cancellation);

            await FormAsync(swarm);
            await DeployAndServeAsync(swarm);
            await SpreadAndUpdateUnderLoadAsync(swarm);
            await RollBackAsync(swarm);
            await DrainUnderLoadAsync(swarm);
            await LoseAReplicaAsync(swarm);
            await LoseTheDatabaseAsync(swarm);
            await LoseTheWorkerAsync(swarm);
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(name);
            foreach (var image in images)
            {
                await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", image);
            }

            folder.Delete(recursive: true);
        }
    }

    private static async Task FormAsync(Swarm swarm)
    {
        var (name, manager, worker) = swarm;
        await manager.RunAsync(Cancellation, "docker", "swarm", "init", "--advertise-addr", "eth0");
        var token = await manager.RunAsync(Cancellation, "docker", "swarm", "join-token", "--quiet", "worker");
        await worker.RunAsync(Cancellation, "docker", "swarm", "join", "--token", token, $"{name}_manager:2377");
        await manager.RunAsync(Cancellation, "docker", "node", "update", "--label-add", "uvlhub.data=true", "--label-add", "uvlhub.web=true", $"{name}_manager");
        await manager.RunAsync(Cancellation, "docker", "node", "update", "--label-add", "uvlhub.web=true", $"{name}_worker");
        foreach (var secret in (string[])["mariadb_root_password", "mariadb_password", "secret_key"])
        {
            await manager.RunAsync(Cancellation, "sh", "-c", $"printf %s 'made up: $ {secret}' | docker secret create {name}_{secret} -");
        }
    }

    private static async Task DeployAndServeAsync(Swarm swarm)
    {
        await DeployAsync(swarm, "VERSION=v1-debian");
        await AnswersAsync(swarm.Manager);
        await AnswersAsync(swarm.Worker);
        // A volume of uploads belongs to one node.
        Assert.Empty(await HealthyAsync(swarm.Worker));
        Assert.Equal("004", await SqlAsync(swarm, "SELECT version_num FROM alembic_version"));
        await SqlAsync(swarm, "INSERT INTO user (email, password_hash, created_at) VALUES ('kept@example.org', 'x', NOW())");
    }

    private static async Task SpreadAndUpdateUnderLoadAsync(Swarm swarm)
    {
        await using (var load = new Load(swarm.Manager.Address, visitors: 2))
        await using (var other = new Load(swarm.Worker.Address, visitors: 2))
        {
            await DeployAsync(swarm, $"VERSION=v2-debian UPLOADS={SharedFolder} WEB_LABEL=uvlhub.web WEB_REPLICAS={Replicas}");
            await Eventually.TrueAsync(async () => await UpdateStateAsync(swarm) == "completed"
                && await HealthyAsync(swarm.Nodes) is { Count: Replicas } healthy && healthy.All(replica => replica.Image.Contains(":v2-", StringComparison.Ordinal)));
            Assert.Empty(load.Failures);
            Assert.Empty(other.Failures);
            Assert.True(load.Answered > 50 && other.Answered > 50, $"only {load.Answered} and {other.Answered} requests were answered");
        }

        var writer = (await HealthyAsync(swarm.Manager))[0];
        var reader = (await HealthyAsync(swarm.Worker))[0];
        await swarm.Manager.RunAsync(Cancellation, "docker", "exec", writer.Id, "sh", "-c", "echo shared >/app/uploads/a-file");
        Assert.Equal("shared", await swarm.Worker.RunAsync(Cancellation, "docker", "exec", reader.Id, "cat", "/app/uploads/a-file"));
    }

    private static async Task RollBackAsync(Swarm swarm)
    {
        await using var load = new Load(swarm.Manager.Address, visitors: 2);
        await using var other = new Load(swarm.Worker.Address, visitors: 2);
        // Starts, and never becomes healthy.
        await swarm.Manager.RunAsync(Cancellation, "docker", "service", "update", "--detach", "--args", "sh -c 'exit 1'", $"{swarm.Name}_web");
        await Eventually.TrueAsync(async () => await UpdateStateAsync(swarm) == "rollback_completed");
        Assert.Empty(load.Failures);
        Assert.Empty(other.Failures);
        Assert.Equal(Replicas, (await HealthyAsync(swarm.Nodes)).Count);
    }

    private static async Task DrainUnderLoadAsync(Swarm swarm)
    {
        await using (var load = new Load(swarm.Manager.Address))
        {
            await swarm.Manager.RunAsync(Cancellation, "docker", "node", "update", "--availability", "drain", $"{swarm.Name}_worker");
            await Eventually.TrueAsync(async () => (await HealthyAsync(swarm.Manager)).Count == Replicas
                && (await swarm.Worker.RunAsync(Cancellation, "docker", "ps", "--quiet")).Length == 0);
            Assert.Empty(load.Failures);
        }

        await swarm.Manager.RunAsync(Cancellation, "docker", "node", "update", "--availability", "active", $"{swarm.Name}_worker");
        await AnswersAsync(swarm.Worker);
    }

    private static async Task LoseAReplicaAsync(Swarm swarm)
    {
        var lost = (await HealthyAsync(swarm.Manager))[0];
        await swarm.Manager.RunAsync(Cancellation, "docker", "kill", lost.Id);
        await Eventually.TrueAsync(async () => await HealthyAsync(swarm.Nodes) is { Count: Replicas } healthy && !healthy.Contains(lost));
    }

    private static async Task LoseTheDatabaseAsync(Swarm swarm)
    {
        await swarm.Manager.RunAsync(Cancellation, "docker", "kill", await DatabaseAsync(swarm));
        await Eventually.TrueAsync(async () => (await DatabaseAsync(swarm)).Length > 0);
        await AnswersAsync(swarm.Manager);
        await KeptAsync(swarm);
    }

    private static async Task LoseTheWorkerAsync(Swarm swarm)
    {
        Assert.NotEmpty(await HealthyAsync(swarm.Worker));
        await swarm.Worker.KillAsync(Cancellation);
        // Much less than the minute that nginx waits for a connection unless it is told otherwise.
        using var client = new HttpClient { BaseAddress = swarm.Manager.Address, Timeout = TimeSpan.FromSeconds(20) };
        while ((await HealthyAsync(swarm.Manager)).Count < Replicas)
        {
            using var answer = await client.GetAsync("/", Cancellation);
            Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} after the loss of a node");
        }

        await KeptAsync(swarm);
    }

    private static Task<string> DeployAsync(Swarm swarm, string settings) => swarm.Manager.RunAsync(Cancellation, "sh", "-c",
        $"cd /stack && {settings} DOMAIN=localhost docker stack deploy --compose-file stack.yml {swarm.Name}");

    private static Task AnswersAsync(InnerEngine node) => Eventually.TrueAsync(async () =>
    {
        using var client = new HttpClient { BaseAddress = node.Address };
        using var answer = await client.GetAsync("/", Cancellation);
        return answer.IsSuccessStatusCode;
    });

    private static async Task KeptAsync(Swarm swarm) =>
        Assert.Equal("kept@example.org", await SqlAsync(swarm, "SELECT email FROM user WHERE email = 'kept@example.org'"));

    private static async Task<string> SqlAsync(Swarm swarm, string sql) =>
        await swarm.Manager.RunAsync(Cancellation, "docker", "exec", await DatabaseAsync(swarm), "sh", "-c", Sql, sql);

    private static Task<string> DatabaseAsync(Swarm swarm) =>
        swarm.Manager.RunAsync(Cancellation, "docker", "ps", "--quiet", "--filter", $"name={swarm.Name}_db", "--filter", "health=healthy");

    private static async Task<IReadOnlyList<Replica>> HealthyAsync(params InnerEngine[] nodes)
    {
        var lists = await Task.WhenAll(nodes.Select(node =>
            node.RunAsync(Cancellation, "docker", "ps", "--format", "{{.ID}} {{.Image}}", "--filter", "name=_web", "--filter", "health=healthy")));
        return [.. lists.SelectMany(list => list.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Select(line => line.Split(' ')).Select(words => new Replica(words[0], words[1]))];
    }

    private static Task<string> UpdateStateAsync(Swarm swarm) => swarm.Manager.RunAsync(Cancellation,
        "docker", "service", "inspect", "--format", "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}", $"{swarm.Name}_web");

    private static IEnumerable<string> OtherImages(string stack) =>
        new DeserializerBuilder().IgnoreUnmatchedProperties().Build().Deserialize<StackFile>(File.ReadAllText(stack)).Services.Values
            .Select(service => service.Image).Where(image => !image.Contains("${", StringComparison.Ordinal));

    private sealed record Swarm(string Name, InnerEngine Manager, InnerEngine Worker)
    {
        public InnerEngine[] Nodes => [Manager, Worker];
    }

    private sealed record Replica(string Id, string Image);

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
