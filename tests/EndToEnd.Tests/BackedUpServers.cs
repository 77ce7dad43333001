using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Two bare machines that reach one folder, as on a share of another machine.</summary>
public sealed class BackedUpServers : IAsyncLifetime
{
    private const string Folder = "/mnt/backups";
    private readonly string _share = $"{Uvlhub.NewInstance()}_backups";

    public BackedUpServers() => (First, Second) = (new DeployedSwarm(Options), new DeployedSwarm(Options));

    /// <summary>The server that is lost.</summary>
    public DeployedSwarm First { get; }

    /// <summary>The one that takes its place.</summary>
    public DeployedSwarm Second { get; }

    private string[] Options => ["--volume", $"{_share}:{Folder}"];

    public async ValueTask InitializeAsync() => await Task.WhenAll(First.InitializeAsync().AsTask(), Second.InitializeAsync().AsTask());

    /// <summary>Deploys to one of them, with backups.</summary>
    public static Task<(bool Succeeds, string Output)> DeployAsync(DeployedSwarm server, params string[] settings) =>
        server.DeployAsync("v1", "deploy", [$"--Uvlhub:Backups:Repository={Folder}", .. settings]);

    /// <summary>Writes the password of the backups where the server's owner does.</summary>
    public static Task GivePasswordAsync(DeployedSwarm server) =>
        File.AppendAllTextAsync(server.Checkout.File(".env.production"), "\nBACKUP_PASSWORD=the right one\n", TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await First.DisposeAsync();
        await Second.DisposeAsync();
        await Uvlhub.EngineAsync(TimeSpan.FromSeconds(60), CancellationToken.None, "volume", "rm", _share);
    }
}
