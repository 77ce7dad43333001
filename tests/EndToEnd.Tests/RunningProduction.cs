using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The tests of a Production that runs, one after the other: some of them replace what serves.</summary>
[CollectionDefinition(Name)]
public sealed class ProductionGroup : ICollectionFixture<RunningProduction>
{
    public const string Name = "Production";
}

/// <summary>
/// The bundled sample in Production, on an empty volume, with secrets of its own; its checkout pulls from its team's
/// repository.
/// </summary>
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
    private OriginRepository? _origin;

    public SampleCheckout Checkout { get; } = new();

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    internal OriginRepository Origin => _origin ?? throw new InvalidOperationException("not made");

    /// <summary>Where people find the site.</summary>
    public Uri Site { get; } = new($"https://{Domain}/");

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
        // Certificates, the webhook, deployments and the registry's watch: none of them waits for the whole start to end.
        await Nowhere.AddAsync(Checkout, "docker-compose.prod.yml", "nowhere");
        _origin = await OriginRepository.OfAsync(Checkout, cancellation);
        _uvlhub = await Uvlhub.StartHealthyAsync(
            Checkout.Path, Uvlhub.NewInstance(), cancellation,
            "--Uvlhub:Environment=Production", $"--Uvlhub:Version={Version}", "--Uvlhub:Gunicorn:Workers=2",
            "--Uvlhub:Tls:Email=owner@example.org", "--Uvlhub:Tls:Authority=pebble",
            "--Uvlhub:Deploy:Webhook=true", "--Uvlhub:Deploy:Pull=true");
        // The site does not wait for it.
        await _uvlhub.App.ResourceNotifications.WaitForResourceAsync("worker", KnownResourceStates.Running, cancellation);
    }

    /// <summary>A connection to <see cref="Site"/>, which no name server knows.</summary>
    /// <param name="see">Sees the certificate.</param>
    public SocketsHttpHandler Connection(Action<X509Certificate>? see = null)
    {
        var nginx = Uvlhub.EndpointOf("nginx", "https");
        return new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    await socket.ConnectAsync(IPAddress.Loopback, nginx.Port, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    see?.Invoke(certificate!);
                    // Pebble's root is nobody's either; the name must be right.
                    return !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch);
                },
            },
        };
    }

    /// <summary>Somebody who uses the site.</summary>
    internal Visitor Visitor() => new(Site, Connection());

    /// <summary>People who use the site all the time.</summary>
    internal Load Load(int readers = 2) => new(Site, readers, () => Connection());

    /// <summary>Waits until nginx serves the site, after an earlier test has replaced it too.</summary>
    public async Task ServesAsync()
    {
        // For a tenth of a second nginx's old workers answer beside those that know the new address.
        var inARow = 0;
        await Eventually.IsAsync(
            async () =>
            {
                try
                {
                    await ServedAsync();
                    return ++inARow;
                }
                catch (HttpRequestException)
                {
                    return inARow = 0;
                }
            },
            answers => answers >= 3, what: "three good answers in a row");
    }

    /// <summary>The serial number of the certificate with which nginx serves the site.</summary>
    public async Task<string> ServedAsync()
    {
        var serial = "";
        using var client = new HttpClient(Connection(certificate => serial = certificate.GetSerialNumberString()));
        (await client.GetAsync(Site, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        return serial;
    }

    /// <summary>Deploys what there is, as the dashboard does.</summary>
    public async Task<ExecuteCommandResult> DeployAsync()
    {
        var commands = Uvlhub.App.Services.GetRequiredService<ResourceCommandService>();
        return await Eventually.IsAsync(
            () => commands.ExecuteCommandAsync("web", "deploy", TestContext.Current.CancellationToken),
            result => result.Message?.Contains("another deployment is under way", StringComparison.Ordinal) != true,
            what: "the end of the deployment before");
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

    /// <summary>Has nobody answer a container under a name, until what is returned is disposed of.</summary>
    internal async Task<IAsyncDisposable> NobodyAnswersAsync(string container, string name)
    {
        // The orchestrator would start again what was stopped, and connect again what was taken off its network.
        await InsideAsync(container, "sh", "-c", "cp /etc/hosts /tmp/hosts.before && echo \"127.0.0.1 $0\" >>/etc/hosts", name);
        return new Undo(() => InsideAsync(container, "sh", "-c", "cat /tmp/hosts.before >/etc/hosts"));
    }

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
        _origin?.Dispose();
        Checkout.Dispose();
    }

    private static Task<string> EngineAsync(params string[] words) =>
        Uvlhub.EngineAsync(s_limit, TestContext.Current.CancellationToken, words);

    private sealed class Undo(Func<Task> undo) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await undo();
    }

    // As diverso-lab's edition declares it: its script is mounted under another name.
    private static void AddWorker(SampleCheckout checkout)
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
