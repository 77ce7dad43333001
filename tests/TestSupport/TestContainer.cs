using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.TestSupport;

/// <summary>
/// A container of a stand-in image with a random name, which a test may stop, kill and start again; container, volumes
/// and all go with it.
/// </summary>
public sealed class TestContainer : IAsyncDisposable
{
    private static readonly ContainerEngine s_engine = new("docker");
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private readonly List<string> _volumes = [];

    private TestContainer(string name) => Name = name;

    /// <summary>The container's name, also its host name on a network.</summary>
    public string Name { get; }

    /// <summary>Builds the stand-in unless it is there, and starts a container of it.</summary>
    /// <param name="folder">A folder of <c>images/</c>.</param>
    /// <param name="options">What 'docker run' is given before the image.</param>
    /// <param name="command">What it is given after.</param>
    /// <param name="volume">The folder that is a volume, if there is one.</param>
    /// <param name="shares">A container whose volume this one opens as well.</param>
    public static async Task<TestContainer> StartAsync(
        string folder, string[]? options = null, string[]? command = null, string? volume = null, TestContainer? shares = null) =>
        await OfImageAsync(await EnsureImageAsync(folder), options, command, volume, shares);

    /// <summary>Starts a container of an image that is there.</summary>
    /// <inheritdoc cref="StartAsync"/>
    public static async Task<TestContainer> OfImageAsync(
        string image, string[]? options = null, string[]? command = null, string? volume = null, TestContainer? shares = null)
    {
        var container = new TestContainer($"uvlhub-images-tests-{Guid.NewGuid():N}");
        if (volume is not null)
        {
            var name = shares?._volumes[0] ?? container.Name;
            if (shares is null)
            {
                container._volumes.Add(name);
            }

            options = [.. options ?? [], "--volume", $"{name}:{volume}"];
        }

        await DockerAsync(["run", "--detach", "--name", container.Name, .. options ?? [], image, .. command ?? []]);
        return container;
    }

    /// <summary>Builds the stand-in unless it is there.</summary>
    public static async Task<string> EnsureImageAsync(string folder)
    {
        var recipe = ImageRecipe.StandIn(RepositoryFolder.StandIn(folder));
        await new ImageBuilder(s_engine, NullLoggerFactory.Instance).EnsureAsync(
            recipe, NullLogger.Instance, TestContext.Current.CancellationToken);
        return recipe.Image;
    }

    /// <summary>Runs a command of the engine that has to succeed.</summary>
    public static async Task<string> DockerAsync(params string[] arguments)
    {
        var result = await s_engine.RunAsync(s_limit, TestContext.Current.CancellationToken, arguments);
        return result.Succeeded ? result.Output : throw new InvalidOperationException($"docker {arguments[0]} failed: {result.Error}");
    }

    /// <summary>Runs a program in the container.</summary>
    public Task<EngineResult> ExecAsync(params string[] command) =>
        s_engine.RunAsync(s_limit, TestContext.Current.CancellationToken, ["exec", Name, .. command]);

    /// <summary>What the container has printed, both streams.</summary>
    public async Task<string> LogsAsync()
    {
        var result = await s_engine.RunAsync(s_limit, TestContext.Current.CancellationToken, "logs", Name);
        return $"{result.Output}\n{result.Error}";
    }

    /// <summary>Waits for the container's end and gives its exit code.</summary>
    public async Task<int> ExitCodeAsync() => int.Parse(await DockerAsync("wait", Name), System.Globalization.CultureInfo.InvariantCulture);

    public Task KillAsync() => DockerAsync("kill", "--signal", "KILL", Name);

    public Task StartAgainAsync() => DockerAsync("start", Name);

    public Task RestartAsync() => DockerAsync("restart", "--time", "30", Name);

    /// <summary>The port on the host's loopback address that a published port has.</summary>
    public async Task<int> PortAsync(int port)
    {
        var published = await DockerAsync("port", Name, $"{port}/tcp");
        return int.Parse(published.Split('\n')[0].Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Lets other users than the test's read and enter a folder, or read and run a file of it: those of containers.</summary>
    [SupportedOSPlatform("linux")]
    public static void Open(TemporaryFolder folder, string file = "") =>
        File.SetUnixFileMode(Path.Combine(folder.Path, file), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);

    /// <summary>Tries until it succeeds; what it threw last is thrown when the time is over.</summary>
    public static async Task<T> EventuallyAsync<T>(Func<Task<T>> attempt, TimeSpan? limit = null)
    {
        var deadline = DateTimeOffset.UtcNow + (limit ?? TimeSpan.FromSeconds(60));
        while (true)
        {
            try
            {
                return await attempt();
            }
            catch (Exception exception) when (exception is not OperationCanceledException && DateTimeOffset.UtcNow < deadline)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Not the test's token: a test that was cut off leaves nothing behind either.
        await s_engine.RunAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", Name);
        foreach (var volume in _volumes)
        {
            await s_engine.RunAsync(s_limit, CancellationToken.None, "volume", "rm", "--force", volume);
        }
    }
}
