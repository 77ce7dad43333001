using System.Text.Json;
using System.Text.Json.Serialization;

namespace UvlhubAspire.Runner.Server;

/// <summary>Brings into the stack what the registry has now under the names that it runs: what <c>aspire deploy</c> does, for images that
/// somebody else has pushed.</summary>
internal sealed partial class ImageUpdate(
    UvlhubOptions options, SwarmStack stack, SwarmDeployments deployments, Registry registry, TimeProvider time,
    ILogger<ImageUpdate> logger) : IDisposable
{
    private static readonly TimeSpan s_pulled = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_pushed = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Deploys what there is, if that is another version than the one that runs.</summary>
    /// <param name="by">Who or what asks for it.</param>
    /// <param name="onlyUntried">Whether a version that has run or failed before is passed over.</param>
    /// <param name="cancellationToken">Ends the waiting; what was asked of the engine goes on.</param>
    /// <exception cref="UserErrorException">It failed; the message says why, and what serves.</exception>
    public async Task RunAsync(string by, bool onlyUntried, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var site = (await stack.ServicesAsync(cancellationToken)).Where(service => service.IsSite).ToList();
            var images = await PullAsync(site, cancellationToken);
            if (site.TrueForAll(service => images[service.Name] == service.Image))
            {
                LogNothingNew();
                return;
            }

            var updated = images.Where(image => image.Key != SwarmDeployments.Updater && !site.Single(service => service.Name == image.Key).IsJob)
                .ToDictionary();
            if (onlyUntried && await IsKnownAsync(updated, cancellationToken))
            {
                return;
            }

            var migrator = site.Single(service => service.IsJob).Name;
            LogStep($"migrating with {images[migrator]}");
            try
            {
                await stack.MigrateAsync(
                    migrator, () => stack.RunImagesAsync([new(migrator, images[migrator])], cancellationToken), options.Migrator.Longest(),
                    cancellationToken);
            }
            catch (UserErrorException failure)
            {
                await deployments.AddFailureAsync(by, updated, failure.Message, cancellationToken);
                throw;
            }

            LogStep("replacing containers");
            var changes = await deployments.DeployAsync(by, () => stack.RunImagesAsync(updated, cancellationToken), cancellationToken);
            LogDone(string.Join("; ", changes));
            await deployments.UpdateUpdaterAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    // Images of one build are pushed one after the other; a half of them would be a site that waits for its schema.
    private async Task<Dictionary<string, string>> PullAsync(List<SwarmService> site, CancellationToken cancellationToken)
    {
        var names = site.Select(service => Name(service.Image)).Distinct().OrderBy(name => name.Length).ToList();
        if (names.Count == 0)
        {
            throw new UserErrorException($"this engine has no stack {stack.Name} with a site: 'docker stack ls'");
        }

        var deadline = time.GetUtcNow() + s_pushed;
        while (true)
        {
            var pulled = new Dictionary<string, PulledImage>(StringComparer.Ordinal);
            foreach (var name in names)
            {
                // By its digest: whoever builds on this engine has the name for what is not pushed yet.
                var digest = $"{name[..name.LastIndexOf(':')]}@{await registry.DigestAsync(name, cancellationToken)}";
                var answer = await stack.Engine.RunAsync(s_pulled, cancellationToken, "pull", "--quiet", digest);
                pulled[name] = answer.Succeeded ? await InspectAsync(digest, cancellationToken)
                    : throw new UserErrorException($"{digest} could not be pulled: {answer.Error.Split('\n')[^1]}");
            }

            var first = pulled[names[0]].Layers;
            if (pulled.Values.All(image => image.Layers.Take(first.Length).SequenceEqual(first)))
            {
                return site.ToDictionary(service => service.Name, service => $"{Name(service.Image)}@{pulled[Name(service.Image)].Digest}");
            }

            if (time.GetUtcNow() > deadline)
            {
                throw new UserErrorException(
                    $"{string.Join(" and ", names)} are not of one build: push them together, by 'aspire do push-images'");
            }

            await Task.Delay(s_pause, time, cancellationToken);
        }
    }

    private async Task<PulledImage> InspectAsync(string name, CancellationToken cancellationToken)
    {
        var layers = await stack.AskAsync(cancellationToken, "image", "inspect", "--format", "{{json .RootFS.Layers}}", name);
        return new PulledImage(name.Split('@')[1], JsonSerializer.Deserialize(layers, ServerJson.Default.StringArray)!);
    }

    private async Task<bool> IsKnownAsync(Dictionary<string, string> images, CancellationToken cancellationToken) =>
        (await deployments.History.ReadAsync(cancellationToken))
        .Any(known => images.All(image => known.Images.GetValueOrDefault(image.Key) == image.Value));

    private static string Name(string image) => image.Split('@')[0];

    [LoggerMessage(EventId = 820, Level = LogLevel.Information, Message = "The registry has what runs")]
    private partial void LogNothingNew();

    [LoggerMessage(EventId = 821, Level = LogLevel.Information, Message = "Deploying: {Step}")]
    private partial void LogStep(string step);

    [LoggerMessage(EventId = 822, Level = LogLevel.Information, Message = "The new version serves: {Changes}")]
    private partial void LogDone(string changes);

    private sealed record PulledImage(string Digest, string[] Layers);
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class ServerJson : JsonSerializerContext;
