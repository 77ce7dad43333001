using Xunit;
using YamlDotNet.Serialization;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// The published stack, deployed to a swarm of two nodes, which live in a container each: a manager with the data, and a
/// worker.
/// </summary>
public sealed class RunningSwarm : IAsyncLifetime
{
    /// <summary>How many containers serve the site when it is spread.</summary>
    public const int Replicas = 4;

    /// <summary>Asks the database inside its container; the statement is the shell's first argument.</summary>
    internal const string Sql =
        """MYSQL_PWD="$(cat /run/secrets/mariadb_password)" exec mariadb -u"$MARIADB_USER" --batch --skip-column-names "$MARIADB_DATABASE" -e "$0" """;
    private const string SharedFolder = "/mnt/uploads";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly string[] s_versions = ["v1", "v2"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-swarm-");
    private readonly SampleCheckout _checkout = new();
    private LocalRegistry? _registry;
    private InnerEngine? _manager;
    private InnerEngine? _worker;
    private bool _isSpread;

    public string Name { get; } = Uvlhub.NewInstance();

    internal InnerEngine Manager => _manager ?? throw new InvalidOperationException("not started");

    internal InnerEngine Worker => _worker ?? throw new InvalidOperationException("not started");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Stack => Path.Combine(_folder.FullName, "swarm");

    private IEnumerable<string> SiteImages =>
        s_versions.SelectMany(version => new[] { $"{Name}:{version}-debian", $"{Name}-migrator:{version}-debian" });

    /// <summary>The first version, beside its data.</summary>
    public async ValueTask InitializeAsync()
    {
        await Uvlhub.EngineAsync(s_limit, Cancellation, "network", "create", $"{Name}_nodes");
        _registry = await LocalRegistry.StartAsync($"{Name}_registry", Cancellation);
        await Uvlhub.EngineAsync(s_limit, Cancellation, "network", "connect", $"{Name}_nodes", $"{Name}_registry");
        string[] settings =
            [$"--Uvlhub:Publish:Name={Name}", $"--Uvlhub:Publish:Registry={_registry.Address}", "--Uvlhub:Gunicorn:Workers=1"];
        await Published.RunStepAsync(
            "publish-swarm", _folder.FullName, _checkout, Cancellation, [.. settings, $"--Uvlhub:Version={s_versions[0]}"]);
        foreach (var version in s_versions)
        {
            await Published.RunStepAsync(
                "push-images", _folder.FullName, _checkout, Cancellation, [.. settings, $"--Uvlhub:Version={version}"]);
        }

        string[] options = ["--network", $"{Name}_nodes", "--volume", $"{Name}_shared:{SharedFolder}"];
        _manager = await InnerEngine.StartAsync($"{Name}_manager", Cancellation, options);
        _worker = await InnerEngine.StartAsync($"{Name}_worker", Cancellation, options);
        await Task.WhenAll(((InnerEngine[])[_manager, _worker]).Select(async node =>
        {
            await node.ReachRegistryAsync(_registry.Address, $"{Name}_registry", Cancellation);
            // Those of the site are pulled.
            await node.LoadAsync(OtherImages(Path.Combine(Stack, "stack.yml")), Cancellation);
        }));
        await _manager.CopyAsync(Stack, "/stack", Cancellation);
        await FormAsync();
        await DeployAsync($"VERSION={s_versions[0]}-debian");
        await AnswersAsync(_manager);
        await AnswersAsync(_worker);
    }

    /// <summary>Runs a command of the manager's engine.</summary>
    public Task<string> ManageAsync(params string[] words) => Manager.RunAsync(Cancellation, ["docker", .. words]);

    /// <summary>
    /// Updates the site and spreads it over both nodes, with a folder that they have in common; where that is so, nothing
    /// happens.
    /// </summary>
    public async Task SpreadAsync()
    {
        if (!_isSpread)
        {
            await DeployAsync($"VERSION={s_versions[1]}-debian UPLOADS={SharedFolder} WEB_LABEL=uvlhub.web WEB_REPLICAS={Replicas}");
            _isSpread = true;
        }

        await Eventually.IsAsync(
            HealthyAsync,
            healthy => healthy.Count == Replicas
                && healthy.All(replica => replica.Contains($":{s_versions[1]}-", StringComparison.Ordinal)),
            what: $"{Replicas} healthy replicas of the new version");
        // After a rollback the state is that of the rollback.
        await UpdateStateAsync("completed", "rollback_completed");
    }

    /// <summary>Waits until the site's update has got as far as one of the states.</summary>
    public Task UpdateStateAsync(params string[] states) => Eventually.IsAsync(
        () => ManageAsync("service", "inspect", "--format", "{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}", $"{Name}_web"),
        state => states.Contains(state), what: $"the update to be {string.Join(" or ", states)}");

    /// <summary>Each healthy replica of the site: its id and its image.</summary>
    public async Task<IReadOnlyList<string>> HealthyAsync() =>
        [.. (await Task.WhenAll(HealthyAsync(Manager), HealthyAsync(Worker))).SelectMany(replicas => replicas)];

    /// <summary>Those on one node.</summary>
    internal static async Task<IReadOnlyList<string>> HealthyAsync(InnerEngine node) =>
        (await node.RunAsync(
            Cancellation, "docker", "ps", "--format", "{{.ID}} {{.Image}}", "--filter", "name=_web", "--filter", "health=healthy"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The id of the database's container; empty while there is none that is healthy.</summary>
    public Task<string> DatabaseAsync() => ManageAsync("ps", "--quiet", "--filter", $"name={Name}_db", "--filter", "health=healthy");

    /// <summary>Asks the database.</summary>
    public async Task<string> SqlAsync(string sql) => await ManageAsync("exec", await DatabaseAsync(), "sh", "-c", Sql, sql);

    /// <summary>Waits until the site answers on a node.</summary>
    internal static async Task AnswersAsync(InnerEngine node)
    {
        using var visitor = new Visitor(node.Address);
        await Eventually.TrueAsync(
            async () => (await visitor.ReadAsync("/", Cancellation)).Length > 0, what: $"an answer on {node.Address}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in (IAsyncDisposable?[])[_worker, _manager, _registry])
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }

        await Uvlhub.RemoveLeftoversAsync(Name);
        foreach (var image in SiteImages)
        {
            await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", $"{_registry?.Address}/{image}");
        }

        _folder.Delete(recursive: true);
        _checkout.Dispose();
    }

    private async Task FormAsync()
    {
        await ManageAsync("swarm", "init", "--advertise-addr", "eth0");
        var token = await ManageAsync("swarm", "join-token", "--quiet", "worker");
        await Worker.RunAsync(Cancellation, "docker", "swarm", "join", "--token", token, $"{Name}_manager:2377");
        await ManageAsync("node", "update", "--label-add", "uvlhub.data=true", "--label-add", "uvlhub.web=true", $"{Name}_manager");
        await ManageAsync("node", "update", "--label-add", "uvlhub.web=true", $"{Name}_worker");
        foreach (var secret in (string[])["mariadb_root_password", "mariadb_password", "secret_key"])
        {
            await Manager.RunAsync(Cancellation, "sh", "-c", $"printf %s 'made up: $ {secret}' | docker secret create {Name}_{secret} -");
        }
    }

    private Task<string> DeployAsync(string settings) => Manager.RunAsync(Cancellation, "sh", "-c",
        $"cd /stack && {settings} DOMAIN=localhost docker stack deploy --compose-file stack.yml {Name}");

    private static IEnumerable<string> OtherImages(string stack) =>
        new DeserializerBuilder().IgnoreUnmatchedProperties().Build().Deserialize<StackFile>(File.ReadAllText(stack)).Services.Values
            .Select(service => service.Image).Where(image => !image.Contains("${", StringComparison.Ordinal));

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
