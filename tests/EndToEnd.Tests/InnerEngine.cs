using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A container engine inside a container: what happens to it, a swarm for example, the machine's does not notice.</summary>
internal sealed class InnerEngine : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    private readonly string _container;

    private InnerEngine(string container) => _container = container;

    /// <summary>Where the machine reaches the engine's port 80.</summary>
    public Uri Address { get; private set; } = new("http://localhost");

    /// <summary>Starts one, and waits until it answers.</summary>
    /// <param name="name">What its container is called, on the network too.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="options">Further options of <c>docker run</c>.</param>
    public static Task<InnerEngine> StartAsync(string name, CancellationToken cancellationToken, params string[] options) =>
        StartAsync(name, options, [], cancellationToken);

    /// <summary>Starts one that listens on a socket of the machine as well, and comes back after <see cref="PowerCutAsync"/>.</summary>
    /// <param name="name">What its container is called, on the network too.</param>
    /// <param name="folder">The folder of the machine for its socket, <c>docker.sock</c>.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="options">Further options of <c>docker run</c>.</param>
    public static Task<InnerEngine> StartAsync(
        string name, string folder, CancellationToken cancellationToken, params string[] options) => StartAsync(
        // What a machine forgets when it goes down.
        name, ["--volume", $"{folder}:/engine", "--tmpfs", "/run", .. options],
        ["dockerd", "--host", "unix:///run/docker.sock", "--host", "unix:///engine/docker.sock"], cancellationToken);

    private static async Task<InnerEngine> StartAsync(
        string name, string[] options, string[] command, CancellationToken cancellationToken)
    {
        var recipe = ImageRecipe.StandIn(RepositoryFolder.StandIn("engine"));
        await new ImageBuilder(Uvlhub.Engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, cancellationToken);
        await OuterAsync(cancellationToken, ["run", "--detach", "--privileged", "--name", name, "--hostname", name, "--publish", "127.0.0.1:0:80", .. options, recipe.Image, .. command]);
        try
        {
            var engine = new InnerEngine(name);
            await engine.AnswersAsync(cancellationToken);
            return engine;
        }
        catch
        {
            await RemoveAsync(name);
            throw;
        }
    }

    /// <summary>Has it know a registry of the machine by the machine's name for it, which is one of the loopback address.</summary>
    /// <param name="address">The registry's address on the machine.</param>
    /// <param name="container">The registry's container, on a network of this engine's.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task ReachRegistryAsync(string address, string container, CancellationToken cancellationToken) => RunAsync(cancellationToken, "sh", "-euc", """
        registry=$(getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }')
        sysctl --quiet --write net.ipv4.conf.all.route_localnet=1
        iptables --table nat --append OUTPUT --protocol tcp --destination 127.0.0.1 --dport "$0" --jump DNAT --to-destination "$registry:5000"
        iptables --table nat --append POSTROUTING --protocol tcp --destination "$registry" --dport 5000 --jump MASQUERADE
        """, address.Split(':')[^1], container);

    /// <summary>Brings images of the machine's engine into this one.</summary>
    public async Task LoadAsync(IEnumerable<string> images, CancellationToken cancellationToken) => await Cli.Wrap("docker")
        .WithArguments(["exec", "--interactive", _container, "docker", "load", "--quiet"])
        .WithStandardInputPipe(PipeSource.FromCommand(Cli.Wrap("docker").WithArguments(["save", .. images])))
        // What it prints has to be read, or it ends in the middle.
        .ExecuteBufferedAsync(cancellationToken);

    /// <summary>Brings a folder of the machine into the engine's container.</summary>
    public Task CopyAsync(string source, string target, CancellationToken cancellationToken) =>
        OuterAsync(cancellationToken, "cp", source, $"{_container}:{target}");

    /// <summary>Runs a command beside the engine; a failure is thrown with what it said.</summary>
    public Task<string> RunAsync(CancellationToken cancellationToken, params string[] command) =>
        OuterAsync(cancellationToken, ["exec", _container, .. command]);

    /// <summary>Ends it and all that runs in it, as a power cut does.</summary>
    public Task KillAsync(CancellationToken cancellationToken) => OuterAsync(cancellationToken, "kill", _container);

    /// <summary>Ends it like that, and starts it again as a machine that has its power back does.</summary>
    public async Task PowerCutAsync(CancellationToken cancellationToken)
    {
        await KillAsync(cancellationToken);
        await OuterAsync(cancellationToken, "start", _container);
        await AnswersAsync(cancellationToken);
    }

    /// <summary>Where the machine reaches another port that was published with it.</summary>
    public async Task<string> PortAsync(string port, CancellationToken cancellationToken) =>
        (await OuterAsync(cancellationToken, "port", _container, port)).Split('\n')[0];

    public async ValueTask DisposeAsync() => await RemoveAsync(_container);

    private async Task AnswersAsync(CancellationToken cancellationToken)
    {
        Address = new Uri($"http://{await PortAsync("80/tcp", cancellationToken)}");
        while (!(await Uvlhub.Engine.RunAsync(s_limit, cancellationToken, "exec", _container, "docker", "info")).Succeeded)
        {
            await Task.Delay(500, cancellationToken);
        }
    }

    private static async Task RemoveAsync(string container) =>
        await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", container);

    private static async Task<string> OuterAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        var result = await Uvlhub.Engine.RunAsync(s_limit, cancellationToken, arguments);
        return result.Succeeded
            ? result.Output
            : throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {result.Error}");
    }
}
