using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The tests on the path that everybody takes who has a network: one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class BoxGroup : ICollectionFixture<NetworkInABox>
{
    public const string Name = "Box";
}

/// <summary>
/// What <c>tests/box/up</c> starts: an engine of its own, for which Docker Hub's, PyPI's and Docker's names lead to what this
/// machine has.
/// </summary>
public sealed class NetworkInABox : IAsyncLifetime
{
    private const string Answer = "export DOCKER_HOST=";
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);
    private static readonly string s_scripts = Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "tests", "box");
    private readonly string _name = $"uvlhub-box-{Guid.NewGuid().ToString("n")[..8]}";

    /// <summary>Where the engine is: the value of <c>DOCKER_HOST</c>.</summary>
    public string Host { get; private set; } = "";

    /// <summary>The Python packages that its index has.</summary>
    public static string Wheels { get; } = Environment.GetEnvironmentVariable("UVLHUB_TEST_WHEELS") is { Length: > 0 } folder
        ? folder : Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "..", "shared", "wheels");

    /// <summary>The folder with whole editions; <see langword="null"/> if there is none.</summary>
    public static string? Editions { get; } =
        Environment.GetEnvironmentVariable("UVLHUB_TEST_EDITIONS") is { Length: > 0 } folder ? folder : null;

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await DebianBase.EnsureAsync(Uvlhub.Engine, NullLogger.Instance, NullLogger.Instance, cancellation);
        var up = await Cli.Wrap(Path.Combine(s_scripts, "up"))
            .WithArguments([.. Editions is null ? Array.Empty<string>() : ["--editions"], _name])
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(cancellation);
        Assert.True(up.IsSuccess, up.StandardError);
        Host = up.StandardOutput.Trim()[Answer.Length..];
    }

    /// <summary>What a command of its engine prints; one that fails is an error.</summary>
    public Task<string> EngineAsync(params string[] words) =>
        Uvlhub.EngineAsync(s_limit, TestContext.Current.CancellationToken, ["--host", Host, .. words]);

    /// <summary>Whether a command of its engine succeeds.</summary>
    public async Task<bool> DoesAsync(params string[] words) => (
        await Uvlhub.Engine.RunAsync(s_limit, TestContext.Current.CancellationToken, ["--host", Host, .. words])).Succeeded;

    /// <summary>Kills a container's process as a fault does: its engine is not asked.</summary>
    public async Task KillAsync(string container) => await Uvlhub.EngineAsync(
        s_limit, TestContext.Current.CancellationToken, "exec", _name, "kill", "-KILL",
        await EngineAsync("container", "inspect", "--format", "{{.State.Pid}}", container));

    /// <summary>Starts an AppHost that has this engine and no other.</summary>
    internal AppHostProcess Start(params IEnumerable<string> settings) =>
        AppHostProcess.Start(new Dictionary<string, string> { ["DOCKER_HOST"] = Host }, settings);

    public async ValueTask DisposeAsync()
    {
        var down = await Cli.Wrap(Path.Combine(s_scripts, "down")).WithArguments([_name]).WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(CancellationToken.None);
        Assert.True(down.IsSuccess, down.StandardError);
    }
}
