using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A machine with an engine of its own, to which <c>aspire deploy</c> deploys the sample: bare, but for the stand-ins.</summary>
public sealed class DeployedSwarm : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-deploy-");
    private readonly string[] _options;
    private InnerEngine? _engine;

    public DeployedSwarm()
        : this([])
    {
    }

    /// <param name="options">Options of the <c>docker run</c> that the machine is started with.</param>
    internal DeployedSwarm(params string[] options) => _options = options;

    public string Name { get; } = Uvlhub.NewInstance();

    public SampleCheckout Checkout { get; } = new();

    internal InnerEngine Engine => _engine ?? throw new InvalidOperationException("not started");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _engine = await InnerEngine.StartAsync($"{Name}_server", _folder.CreateSubdirectory("engine").FullName, Cancellation, _options);
        var standIns = await Task.WhenAll(((string[])["flask", "mariadb", "nginx", "redis", "operator"]).Select(TestContainer.EnsureImageAsync));
        await _engine.LoadAsync([DebianBase.Image, .. standIns], Cancellation);
    }

    /// <summary>Writes what the server's owner fills in.</summary>
    public void FillIn()
    {
        RunningProduction.FillIn(Checkout);
        File.Move(Checkout.File(".env"), Checkout.File(".env.production"), overwrite: true);
    }

    /// <summary>Runs <c>aspire deploy</c>, or another step.</summary>
    public Task<(bool Succeeds, string Output)> DeployAsync(string version, string step = "deploy", params string[] settings) =>
        Published.TryStepAsync(
            step, Path.Combine(_folder.FullName, "out"), Checkout, $"unix://{_folder.FullName}/engine/docker.sock", Cancellation,
            [$"--Uvlhub:Publish:Name={Name}", "--Uvlhub:Gunicorn:Workers=1", $"--Uvlhub:Version={version}", .. settings]);

    /// <summary>Runs a command of the server's engine.</summary>
    public Task<string> AskAsync(params string[] words) => Engine.RunAsync(Cancellation, ["docker", .. words]);

    /// <summary>Every container of the stack: its id, its image.</summary>
    public async Task<string[]> ContainersAsync() =>
        [.. (await AskAsync("ps", "--format", "{{.ID}} {{.Image}}")).Split('\n').Order(StringComparer.Ordinal)];

    /// <summary>Runs a program in the toolbox, as the server's owner does.</summary>
    public async Task<string> OperateAsync(params string[] command) =>
        await AskAsync(["exec", await AskAsync("ps", "--quiet", "--filter", $"name={Name}_rosemary"), .. command]);

    /// <summary>Asks the database.</summary>
    public async Task<string> SqlAsync(string sql) => await AskAsync(
        "exec", await AskAsync("ps", "--quiet", "--filter", $"name={Name}_db", "--filter", "health=healthy"), "sh", "-c", RunningSwarm.Sql, sql);

    /// <summary>Runs a verb of UvlhubRunner in the stack's toolbox.</summary>
    public async Task<string> ToolboxAsync(params string[] words) => await AskAsync(
        ["exec", await AskAsync("ps", "--quiet", "--filter", $"name={Name}_rosemary"), "UvlhubRunner", .. words]);

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null)
        {
            await _engine.DisposeAsync();
        }

        _folder.Delete(recursive: true);
        Checkout.Dispose();
    }
}
