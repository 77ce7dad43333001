using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>A container like the AppHost's <c>rosemary</c>: a checkout, its environment, the stand-in image, idle; or like its site.</summary>
public sealed class Toolbox : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private static readonly ContainerEngine s_engine = new("docker");

    private Toolbox(string name) => Name = name;

    public string Name { get; }

    /// <summary>Starts one.</summary>
    /// <param name="name">The container's name.</param>
    /// <param name="checkout">The checkout's folder.</param>
    /// <param name="environment">The containers' environment, as the AppHost computes it.</param>
    /// <param name="port">The host's port for its own 5000. Default: none.</param>
    /// <param name="command">What it runs. Default: nothing.</param>
    public static async Task<Toolbox> StartAsync(
        string name, string checkout, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken,
        int? port = null, params string[] command)
    {
        var recipe = ImageRecipe.StandIn(RepositoryFolder.StandIn("flask"));
        await new ImageBuilder(s_engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, cancellationToken);
        // As the AppHost starts it: a migration must get along with what this user may do, and is given no more here.
        var owner = CheckoutOwner.Of(checkout, s_engine);
        var startup = Path.Combine(
            Path.GetDirectoryName(UvlhubAspire.Checkout.RepositoryFolder.Images)!, "AppHost", "Site", "Flask", "startup");
        // Passwords of the shared server in arguments would be seen by a test that looks for them.
        using var folder = new TemporaryFolder();
        var variables = folder.Write(
            "variables", string.Concat((owner is null ? environment : environment.Concat(CheckoutContainer.OwnersVariables))
                .Select(pair => $"{pair.Key}={pair.Value}\n")));
        string[] arguments =
        [
            "run", "--detach", "--name", name, .. CheckoutContainer.Options("/app"), .. CheckoutContainer.UserOption(owner),
            "--env-file", variables, "--volume", $"{checkout}:/app", "--volume", $"{startup}:/opt/uvlhub-aspire/startup:ro",
            .. port is null ? Array.Empty<string>() : ["--publish", $"127.0.0.1:{port}:5000"],
            recipe.Image, .. command.Length == 0 ? ["sleep", "infinity"] : command,
        ];
        var started = await s_engine.RunAsync(s_limit, cancellationToken, arguments);
        Assert.True(started.Succeeded, started.Error);
        return new Toolbox(name);
    }

    /// <summary>Runs a command in it.</summary>
    internal Task<EngineResult> ExecAsync(CancellationToken cancellationToken, params string[] command) =>
        s_engine.RunAsync(s_limit, cancellationToken, ["exec", Name, .. command]);

    /// <summary>Copies a file into it.</summary>
    internal async Task CopyAsync(string file, string target, CancellationToken cancellationToken)
    {
        var copied = await s_engine.RunAsync(s_limit, cancellationToken, "cp", file, $"{Name}:{target}");
        Assert.True(copied.Succeeded, copied.Error);
    }

    /// <summary>Asks it to end, and says with which exit code it did.</summary>
    internal async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        var stopped = await s_engine.RunAsync(s_limit, cancellationToken, "stop", "--time", "3", Name);
        Assert.True(stopped.Succeeded, stopped.Error);
        var inspected = await s_engine.RunAsync(
            s_limit, cancellationToken, "container", "inspect", "--format", "{{.State.ExitCode}}", Name);
        return int.Parse(inspected.Output, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync() =>
        await s_engine.RunAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", Name);
}
