using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.AppHost.Engine;
using UvlhubAspire.AppHost.Images;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>A container like the AppHost's <c>rosemary</c>: a checkout, its environment, the stand-in image, idle.</summary>
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
    public static async Task<Toolbox> StartAsync(
        string name, string checkout, IReadOnlyDictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var recipe = ImageRecipe.StandIn("flask");
        await new ImageBuilder(s_engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, cancellationToken);
        var startup = Path.Combine(Path.GetDirectoryName(UvlhubAspire.Checkout.RepositoryFolder.Images)!, "AppHost", "Flask", "startup");
        string[] arguments =
        [
            "run", "--detach", "--init", "--name", name,
            .. environment.SelectMany(pair => (string[])["--env", $"{pair.Key}={pair.Value}"]),
            "--volume", $"{checkout}:/app", "--volume", $"{startup}:/opt/uvlhub-aspire/startup:ro", "--workdir", "/app",
            recipe.Image, "sleep", "infinity",
        ];
        var started = await s_engine.RunAsync(s_limit, cancellationToken, arguments);
        Assert.True(started.Succeeded, started.Error);
        return new Toolbox(name);
    }

    /// <summary>Runs a command in it.</summary>
    internal Task<EngineResult> ExecAsync(CancellationToken cancellationToken, params string[] command) =>
        s_engine.RunAsync(s_limit, cancellationToken, ["exec", Name, .. command]);

    public async ValueTask DisposeAsync() =>
        await s_engine.RunAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", Name);
}
