using Microsoft.Extensions.Logging.Abstractions;
using MySqlConnector;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Where a copy of the sample has its database.</summary>
/// <param name="Address">The server's address for containers.</param>
/// <param name="Port">The server's port for containers.</param>
internal sealed record DatabasePlace(
    string Name, string User, string Password, string RootPassword, string Container, int HostPort, string Address, int Port)
{
    public static DatabasePlace Of(TestDatabase database) => new(
        database.Name, database.User, database.Password, database.Server.RootPassword, database.Server.ContainerName,
        database.Server.HostPort, database.Server.Address, 3306);

    public string RootConnectionString => ConnectionString("root", RootPassword, Name);

    public string ConnectionString(string user, string password, string database) => new MySqlConnectionStringBuilder
    {
        Server = "127.0.0.1",
        Port = (uint)HostPort,
        UserID = user,
        Password = password,
        Database = database,
        Pooling = false,
        AllowUserVariables = true,
    }.ConnectionString;
}

/// <summary>
/// A MariaDB that a test starts, kills and starts again: unlike Testcontainers' it keeps its port, and its place is known
/// before it runs.
/// </summary>
internal sealed class PinnedServer : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private static readonly ContainerEngine s_engine = new("docker");
    private readonly string _image;

    private PinnedServer(string image, DatabasePlace place) => (_image, Place) = (image, place);

    public DatabasePlace Place { get; }

    public static async Task<PinnedServer> CreateAsync(CancellationToken cancellationToken)
    {
        var recipe = ImageRecipe.StandIn(RepositoryFolder.StandIn("mariadb"));
        await new ImageBuilder(s_engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, cancellationToken);
        // The other containers reach it over the host: its own address may change with every start.
        var gateway = await s_engine.RunAsync(
            s_limit, cancellationToken, "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "bridge");
        Assert.True(gateway.Succeeded, gateway.Error);
        var port = FreePort();
        return new PinnedServer(recipe.Image, new DatabasePlace(
            "pinned", "pinned_user", "pinned_password", "pinned_root_password", $"uvlhub-runner-tests-{Environment.ProcessId}-{port}", port,
            gateway.Output, port));
    }

    /// <summary>Creates and starts it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken) => Check(await s_engine.RunAsync(
        s_limit,
        cancellationToken,
        "run", "--detach", "--name", Place.Container, "--publish", $"{Place.HostPort}:3306",
        "--env", $"MARIADB_ROOT_PASSWORD={Place.RootPassword}", "--env", $"MARIADB_DATABASE={Place.Name}",
        "--env", $"MARIADB_USER={Place.User}", "--env", $"MARIADB_PASSWORD={Place.Password}",
        _image, "mariadbd"));

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync(CancellationToken cancellationToken) =>
        Check(await s_engine.RunAsync(s_limit, cancellationToken, "kill", Place.Container));

    /// <summary>Starts it again on its data.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken) =>
        Check(await s_engine.RunAsync(s_limit, cancellationToken, "start", Place.Container));

    public async ValueTask DisposeAsync() =>
        await s_engine.RunAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", Place.Container);

    private static void Check(EngineResult result) => Assert.True(result.Succeeded, result.Error);

    internal static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Any, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
