using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Pulls images, each once for all who want it, with its progress on the console.</summary>
/// <param name="engine">The container engine.</param>
/// <param name="lifetime">Ends the pulls with the application.</param>
/// <param name="setting">Which images are allowed.</param>
/// <param name="loggers">For the console.</param>
public sealed class ImagePuller(
    ContainerEngine engine, IHostApplicationLifetime lifetime, ImageSourceSetting setting, ILoggerFactory loggers)
{
    private readonly ILogger _console = loggers.CreateLogger("UvlhubAspire.Images");
    private readonly ConcurrentDictionary<string, Lazy<ImagePull>> _pulls = new(StringComparer.Ordinal);

    /// <summary>Begins to pull an image, unless that is under way or has ended.</summary>
    /// <param name="image">The image.</param>
    public ImagePull Begin(string image) => _pulls.GetOrAdd(
        image, name => new Lazy<ImagePull>(() => new ImagePull(engine, name, _console, lifetime.ApplicationStopping))).Value;

    /// <summary>Waits until the image is here; a pull that has failed is tried again.</summary>
    /// <param name="image">The image.</param>
    /// <param name="log">The log of the resource that waits for it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImageException">It does not come; the message has the engine's words, and what to do.</exception>
    public async Task EnsureAsync(string image, ILogger log, CancellationToken cancellationToken)
    {
        if (await engine.HasImageAsync(image, cancellationToken))
        {
            return;
        }

        if (_pulls.TryGetValue(image, out var earlier) && earlier.Value.Ended.IsCompleted)
        {
            _pulls.TryRemove(KeyValuePair.Create(image, earlier));
        }

        var pull = Begin(image);
        pull.Follow(log);
        if ((await pull.Ended.WaitAsync(cancellationToken)).Problem is { } problem)
        {
            throw new ImageException(
                $"{image} cannot be pulled: {problem}{Environment.NewLine}"
                + $"{(KnownCause.Find(problem) is { } cause ? $"What helps: {cause.Remedy}. " : "")}"
                + $"Without it: {setting.Name}=debian runs what is built from Debian's packages instead, where there is such a thing.");
        }
    }
}
