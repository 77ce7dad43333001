using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Compose;

/// <summary>
/// The model of an invented fork: the course edition with a mock of Zenodo, a bot and what else a team may think of.
/// It is what AppHost.cs builds; nothing is started.
/// </summary>
public sealed class InventedFork : IAsyncDisposable
{
    public const string Compose = """
        services:
          web: { container_name: web_app_container, image: web }
          db: { container_name: mariadb_container, image: mariadb }
          fakenodo:
            container_name: fakenodo_container
            build: { context: ../fakenodo, args: { VERSION: "2" } }
            command: flask run --host=0.0.0.0 --port=5001
            entrypoint: [ "tini", "--" ]
            env_file: [ ../.env, fakenodo.env ]
            environment: { FAKENODO_URL: "http://fakenodo:5001", MARIADB_PORT: "1" }
            ports: [ "5001:5001" ]
            volumes:
              - ../fakenodo:/srv:ro
              - fakenodo_data:/data
              - shared:/shared
              - /cache
              - ./missing:/missing
              - ./missing.conf:/etc/missing.conf
              - /var/run/docker.sock:/var/run/docker.sock
            networks: { uvlhub_network: { aliases: [ zenodo.org ] } }
            depends_on: { db: { condition: service_healthy }, seeder: { condition: service_completed_successfully } }
            healthcheck: { test: [ "CMD", "curl", "-f", "http://localhost:5001/a b" ], interval: 5s, retries: 3 }
            shm_size: 64m
            cap_add: [ NET_ADMIN ]
            restart: always
          discord_bot:
            build: { context: ../, dockerfile: docker/images/Dockerfile.dev }
            command: python bot.py
            env_file: ../.env
            depends_on: [ db, web, fakenodo ]
            profiles: [ bot ]
            logging: { driver: none }
            networks: { uvlhub_network: { ipv4_address: 172.20.0.9 }, caddy_net: }
          seeder: { image: "localhost:5000/team/seeder:1.2", restart: "no", deploy: { replicas: 2 } }
          probe: { image: probe, ports: [ "9000:9000", "5353:53/udp", "5001:1234" ], restart: "on-failure:3", healthcheck: { disable: true } }
          placeholder: { image: <your_dockerhub_name>/bot }
          rosemary: { image: rosemary }
        volumes:
          fakenodo_data:
          shared: { external: true, name: team_shared }
        networks:
          uvlhub_network:
          caddy_net: { external: true }
        """;

    private readonly TemporaryFolder _folder;
    private readonly IDistributedApplicationTestingBuilder _builder;

    private InventedFork(TemporaryFolder folder, IDistributedApplicationTestingBuilder builder)
    {
        (_folder, _builder) = (folder, builder);

        // The builder runs the hooks before the start when it is disposed of; ours would look at ports and images.
        HashSet<Assembly?> ours =
            [typeof(UvlhubEnvironment).Assembly, typeof(ContainerImage).Assembly, typeof(ComposeFile).Assembly, typeof(MariaDBServerResource).Assembly];
        foreach (var hook in builder.Services
            .Where(
                service => !service.IsKeyedService
                && (
                    ours.Contains(service.ImplementationType?.Assembly)
                    || ours.Contains(service.ImplementationFactory?.Method.Module.Assembly)))
            .ToList())
        {
            builder.Services.Remove(hook);
        }
    }

    /// <summary>The folder that the checkout is in.</summary>
    public string Folder => _folder.Path;

    public IResourceCollection Resources => _builder.Resources;

    internal UvlhubEnvironment Environment =>
        (UvlhubEnvironment)_builder.Services.Single(service => service.ServiceType == typeof(UvlhubEnvironment)).ImplementationInstance!;

    internal ComposeFindings Findings => Environment.ComposeFindings;

    public static Task<InventedFork> CreateAsync(string compose, params string[] settings) =>
        CreateAsync(folder => folder.Write("checkout/docker/docker-compose.dev.yml", compose), settings);

    /// <summary>The course edition, or another one, with changes.</summary>
    /// <param name="change">Changes the checkout, which is in <c>checkout</c> of the folder.</param>
    /// <param name="settings">Settings as on the command line.</param>
    /// <param name="name">The edition.</param>
    public static async Task<InventedFork> CreateAsync(Action<TemporaryFolder> change, string[] settings, string name = "egc2526-v1.0.0")
    {
        var folder = new TemporaryFolder();
        using (var edition = new TemporaryFolder())
        {
            Edition.Load(name).WriteCheckout(edition);
            Directory.Move(edition.Path, Path.Combine(folder.Path, "checkout"));
            Directory.CreateDirectory(edition.Path);
        }

        change(folder);
        folder.Write("checkout/docker/fakenodo.env", "FAKENODO_KEY=from its file\n");
        folder.Write("checkout/fakenodo/Dockerfile", "FROM python:3.13\n");
        var builder = await ModelOnly.CreateAsync([$"--Uvlhub:Path={Path.Combine(folder.Path, "checkout")}", .. settings]);
        return new InventedFork(folder, builder);
    }

    public ContainerResource Container(string name) => Resources.OfType<ContainerResource>().Single(resource => resource.Name == name);

    /// <summary>Compares the compose file with the model.</summary>
    internal Task<DriftReport> CompareAsync() => new DriftCheck(Environment, _builder.Configuration, _builder.ExecutionContext)
        .CompareAsync(Environment.Compose!, Findings, Resources, TestContext.Current.CancellationToken);

    internal Task<ContainerFacts> FactsAsync(string name) =>
        ContainerFacts.ReadAsync(Container(name), _builder.ExecutionContext, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _builder.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>The fork without further settings.</summary>
public sealed class InventedForkFixture : IAsyncLifetime
{
    public InventedFork Fork { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Fork = await InventedFork.CreateAsync(InventedFork.Compose);

    public ValueTask DisposeAsync() => Fork.DisposeAsync();
}
