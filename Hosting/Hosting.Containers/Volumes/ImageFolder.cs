using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// What an image has in a folder, as a volume: filled once for each image, and shared by all containers of a checkout that have it in
/// the same place. An anonymous volume is filled for each container and at each start, which takes as long as its contents are large.
/// </summary>
/// <param name="engine">The container engine.</param>
/// <param name="folder">The folder inside the containers.</param>
/// <param name="volume">What the names of its volumes begin with.</param>
/// <param name="checkout">The path of the checkout that they belong to.</param>
public sealed partial class ImageFolder(ContainerEngine engine, string folder, string volume, string checkout)
{
    private const string FolderLabel = "uvlhub-aspire.image-folder";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_copy = TimeSpan.FromMinutes(30);

    /// <summary>
    /// Makes sure that the volume is there with all that the image has in the folder, and removes those of images that are no container's
    /// any more. Not to be called twice at a time.
    /// </summary>
    /// <param name="image">The image.</param>
    /// <param name="images">The images of all containers that have the folder.</param>
    /// <param name="loggers">Are told when something is copied.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The volume's name; <see langword="null"/> if there is no such image.</returns>
    /// <exception cref="DistributedApplicationException">The engine could not fill it.</exception>
    public async Task<string?> EnsureAsync(
        string image, IEnumerable<string> images, IEnumerable<ILogger> loggers, CancellationToken cancellationToken)
    {
        if (await NameAsync(image, cancellationToken) is not { } name)
        {
            return null;
        }

        var listed = await engine.RunAsync(
            s_limit, cancellationToken, "volume", "ls", "--quiet", "--filter", $"label={FolderLabel}={volume}", "--filter",
            $"label={CheckoutVolume.CheckoutLabel}={checkout}");
        var present = listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet();
        if ((await engine.InspectAsync("container", Begun(name), cancellationToken)).Found is not null)
        {
            // Who filled it was killed: nobody knows how much there is.
            await RemoveAsync(name);
            present.Remove(name);
        }

        if (!present.Remove(name))
        {
            foreach (var logger in loggers)
            {
                LogCopying(logger, folder, image, name);
            }

            await FillAsync(name, image, cancellationToken);
        }

        if (present.Count > 0)
        {
            var used = await Task.WhenAll(images.Distinct().Select(other => NameAsync(other, cancellationToken)));
            // One that a container of the former image still has stays until the next start.
            await engine.RunAsync(s_limit, cancellationToken, ["volume", "rm", .. present.Except(used.OfType<string>())]);
        }

        return name;
    }

    // The engine fills an empty volume when a container is made with it, which need not run. Until it has, another container says that
    // it is being filled: that one outlives us, the engine and the machine.
    private async Task FillAsync(string name, string image, CancellationToken cancellationToken)
    {
        var isFilled = false;
        try
        {
            await SucceedAsync(
                "volume", "create", "--label", $"{FolderLabel}={volume}", "--label", $"{CheckoutVolume.CheckoutLabel}={checkout}", name);
            await CreateAsync(Begun(name), ":nocopy");
            await CreateAsync(Filled(name), "");
            await engine.RunAsync(s_limit, CancellationToken.None, "container", "rm", "--volumes", Begun(name), Filled(name));
            isFilled = true;
        }
        finally
        {
            if (!isFilled)
            {
                await RemoveAsync(name);
            }
        }

        Task CreateAsync(string container, string option) => SucceedAsync(
            "container", "create", "--pull", "never", "--name", container, "--volume", $"{name}:{folder}{option}", image, "true");

        async Task SucceedAsync(params string[] words)
        {
            var result = await engine.RunAsync(s_copy, cancellationToken, words);
            if (!result.Succeeded)
            {
                throw new DistributedApplicationException(
                    $"What {image} has in {folder} cannot be copied into the volume {name}: {result.Error}");
            }
        }
    }

    private async Task RemoveAsync(string name)
    {
        await engine.RunAsync(s_limit, CancellationToken.None, "container", "rm", "--force", "--volumes", Filled(name), Begun(name));
        await engine.RunAsync(s_limit, CancellationToken.None, "volume", "rm", "--force", name);
    }

    private static string Begun(string name) => $"{name}_begun";

    private static string Filled(string name) => $"{name}_filled";

    private async Task<string?> NameAsync(string image, CancellationToken cancellationToken) =>
        (await engine.InspectAsync("image", image, cancellationToken)).Found is { Id: { } id }
            ? $"{volume}_{Names.Digest($"{checkout} {id}", 12)}"
            : null;

    [LoggerMessage(EventId = 112, Level = LogLevel.Information, Message = "Copying {Folder} of the image {Image} into the volume {Volume}, "
        + "once for this image")]
    private static partial void LogCopying(ILogger logger, string folder, string image, string volume);
}
