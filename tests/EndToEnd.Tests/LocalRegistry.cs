using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A registry on the loopback address, and the images that were pushed to it.</summary>
internal sealed class LocalRegistry : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(4);
    private readonly string _container;
    private readonly HashSet<string> _images = new(StringComparer.Ordinal);

    private LocalRegistry(string container) => _container = container;

    /// <summary>What images' names begin with.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Starts one, and waits until it answers.</summary>
    public static async Task<LocalRegistry> StartAsync(string name, CancellationToken cancellationToken)
    {
        var recipe = ImageRecipe.StandIn(RepositoryFolder.StandIn("registry"));
        await new ImageBuilder(Uvlhub.Engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, cancellationToken);
        var registry = new LocalRegistry(name);
        try
        {
            await EngineAsync(cancellationToken, "run", "--detach", "--name", name, "--publish", "127.0.0.1:0:5000", recipe.Image);
            // The engine takes 'localhost' for a registry that needs no TLS.
            registry.Address = $"localhost:{(await EngineAsync(cancellationToken, "port", name, "5000/tcp")).Split(':')[^1]}";
            using var client = new HttpClient();
            while (!await IsUpAsync(client, $"http://{registry.Address}/v2/", cancellationToken))
            {
                await Task.Delay(200, cancellationToken);
            }

            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    /// <summary>Builds a version of an image, and makes it the registry's <c>latest</c>; what this machine knows as that stays.</summary>
    /// <param name="image">Its name in the registry.</param>
    /// <param name="version">Its tag.</param>
    /// <param name="dockerfile">What it is built by.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="context">The folder whose files it may copy. Default: an empty one.</param>
    /// <returns>The image that this machine has built.</returns>
    public async Task<string> PushAsync(
        string image, string version, string dockerfile, CancellationToken cancellationToken, string? context = null)
    {
        var folder = Directory.CreateTempSubdirectory("uvlhub-aspire-push-");
        var name = $"{Address}/{image}:{version}";
        try
        {
            var file = Path.Combine(folder.FullName, "Dockerfile");
            await File.WriteAllTextAsync(file, dockerfile, cancellationToken);
            _images.UnionWith([name, $"{Address}/{image}:latest"]);
            await EngineAsync(cancellationToken, "build", "--quiet", "--tag", name, "--file", file, context ?? folder.FullName);
            await EngineAsync(cancellationToken, "push", "--quiet", name);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        using var client = new HttpClient { BaseAddress = new Uri($"http://{Address}/v2/{image}/manifests/") };
        client.DefaultRequestHeaders.Accept.ParseAdd(
            "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json");
        using var manifest = await client.GetAsync(new Uri(version, UriKind.Relative), cancellationToken);
        using var tagged = await client.PutAsync(new Uri("latest", UriKind.Relative), manifest.EnsureSuccessStatusCode().Content, cancellationToken);
        tagged.EnsureSuccessStatusCode();
        return name;
    }

    /// <summary>How often anybody has asked for what an image's <c>latest</c> is.</summary>
    public async Task<int> QuestionsAsync(string image, CancellationToken cancellationToken)
    {
        // It prints its accesses to one of the two.
        var log = await Uvlhub.Engine.RunAsync(s_limit, cancellationToken, "logs", _container);
        return (log.Output + log.Error).Split('\n')
            .Count(line => line.Contains($"/v2/{image}/manifests/latest HTTP/", StringComparison.Ordinal));
    }

    /// <summary>Brings an image to this machine.</summary>
    public static Task PullAsync(string image, CancellationToken cancellationToken) =>
        EngineAsync(cancellationToken, "pull", "--quiet", image);

    /// <summary>What the machine has under a name.</summary>
    public static Task<string> IdAsync(string image, CancellationToken cancellationToken) =>
        EngineAsync(cancellationToken, "image", "inspect", "--format", "{{.Id}}", image);

    public async ValueTask DisposeAsync()
    {
        await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", _container);
        foreach (var image in _images)
        {
            await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", image);
        }
    }

    private static async Task<bool> IsUpAsync(HttpClient client, string address, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.GetAsync(new Uri(address), cancellationToken)).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static Task<string> EngineAsync(CancellationToken cancellationToken, params string[] words) =>
        Uvlhub.EngineAsync(s_limit, cancellationToken, words);
}
