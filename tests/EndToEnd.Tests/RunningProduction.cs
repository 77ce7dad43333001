using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The tests of a Production that runs, one after the other: some of them replace what serves.</summary>
[CollectionDefinition(Name)]
public sealed class ProductionGroup : ICollectionFixture<RunningProduction>
{
    public const string Name = "Production";
}

/// <summary>The bundled sample in Production, on an empty volume, with secrets of its own.</summary>
public sealed class RunningProduction : IAsyncLifetime
{
    public const string Version = "v1.2-e2e";

    public const string Password = "Pr0duction-of-a-test";

    public const string RootPassword = "R00t-in-production-of-a-test";

    public const string WebhookToken = "4f1c0f5be1a94c0c8f7f6d2b6c1e0a35";

    /// <summary>No name of the world's: the certificate authority is one that runs beside the site.</summary>
    public const string Domain = "uvlhub.test";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    private Uvlhub? _uvlhub;

    public SampleCheckout Checkout { get; } = new();

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    /// <summary>Where people find the site.</summary>
    public Uri Site => Uvlhub.EndpointOf("nginx", "http");

    /// <summary>The newest revision of the checkout.</summary>
    public string Head => Directory.EnumerateFiles(Checkout.File("migrations/versions"), "*.py").Max(file => Path.GetFileName(file)[..3])!;

    /// <summary>What a fork's owner writes on the server.</summary>
    public static void FillIn(SampleCheckout checkout) => File.WriteAllText(checkout.File(".env"), $"""
        FLASK_APP_NAME="MINIHUB"
        FLASK_ENV=production
        DOMAIN={Domain}
        MARIADB_DATABASE=uvlhubdb
        MARIADB_USER=uvlhub_production
        MARIADB_PASSWORD={Password}
        MARIADB_ROOT_PASSWORD={RootPassword}
        """);

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        FillIn(Checkout);
        await File.AppendAllTextAsync(
            Checkout.File(".env"), $"\nWEBHOOK_TOKEN={WebhookToken}\nREDIS_URL=redis://redis:6379\n", cancellation);
        AddWorker(Checkout);
        _uvlhub = await Uvlhub.StartHealthyAsync(
            Checkout.Path, Uvlhub.NewInstance(), cancellation,
            "--Uvlhub:Environment=Production", $"--Uvlhub:Version={Version}", "--Uvlhub:Gunicorn:Workers=2");
        // The site does not wait for it.
        await _uvlhub.App.ResourceNotifications.WaitForResourceAsync("worker", KnownResourceStates.Running, cancellation);
    }

    /// <summary>Waits until nginx serves the site, after an earlier test has replaced it too.</summary>
    public async Task ServesAsync()
    {
        // For a tenth of a second nginx's old workers answer beside those that know the new address.
        var inARow = 0;
        using var client = new HttpClient();
        await Eventually.IsAsync(
            async () =>
            {
                using var answer = await client.GetAsync(Site, TestContext.Current.CancellationToken);
                return inARow = answer.IsSuccessStatusCode ? inARow + 1 : 0;
            },
            answers => answers >= 3, what: "three good answers in a row");
    }

    /// <summary>The names of all its containers, those that have ended too.</summary>
    public async Task<string[]> ContainersAsync() =>
        (await EngineAsync("ps", "--all", "--format", "{{.Names}}", "--filter", $"name=^{Uvlhub.Instance}_")).Split('\n');

    /// <summary>What the engine says about a container.</summary>
    /// <param name="container">Its name in the checkout's compose file.</param>
    /// <param name="format">What of it.</param>
    public Task<string> InspectAsync(string container, string format) =>
        EngineAsync("container", "inspect", "--format", format, Uvlhub.ContainerOf(container));

    /// <summary>The id of a container that runs; empty while there is none.</summary>
    public Task<string> RunningIdAsync(string container) =>
        EngineAsync("ps", "--quiet", "--no-trunc", "--filter", $"name=^{Uvlhub.ContainerOf(container)}$");

    /// <summary>What a command inside a container prints; one that fails is an error.</summary>
    public Task<string> InsideAsync(string container, params string[] command) =>
        EngineAsync(["exec", Uvlhub.ContainerOf(container), .. command]);

    /// <summary>Asks the database, which nobody reaches from outside.</summary>
    public Task<string> SqlAsync(string sql) => InsideAsync(
        "mariadb_container", "sh", "-c",
        """MYSQL_PWD="$MARIADB_ROOT_PASSWORD" exec mariadb -uroot --batch --skip-column-names uvlhubdb -e "$0" """, sql);

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        await Uvlhub.RemoveImagesAsync(Checkout);
        Checkout.Dispose();
    }

    private static Task<string> EngineAsync(params string[] words) =>
        Uvlhub.EngineAsync(s_limit, TestContext.Current.CancellationToken, words);

    // As diverso-lab's edition declares it: its script is mounted under another name.
    internal static void AddWorker(SampleCheckout checkout)
    {
        var compose = checkout.File("docker/docker-compose.prod.yml");
        File.WriteAllText(compose, File.ReadAllText(compose).Replace("services:\n", """
            services:

              worker:
                container_name: rq_worker_container
                image: minihub:latest
                env_file:
                  - ../.env
                volumes:
                  - ./entrypoints/worker_entrypoint.sh:/app/entrypoint.sh
                command: [ "bash", "-c", "bash /app/entrypoint.sh" ]
                restart: always
                depends_on:
                  - db
                  - redis

              redis:
                container_name: redis_container
                image: redis:8.2.1
                restart: always

            """, StringComparison.Ordinal));
        File.WriteAllText(
            checkout.File("docker/entrypoints/worker_entrypoint.sh"), "set -e\nexec rq worker --url \"$REDIS_URL\" default\n");
    }
}
