namespace UvlhubAspire.AppHost.Production;

/// <summary>
/// Removes the images that a deployment has replaced, as <c>--cleanup</c> of uvlhub's watchtower does: the disk would
/// fill up with versions that nothing can start. One that has a name, or a container, stays.
/// </summary>
internal sealed class ReplacedImages(ContainerEngine engine, IReadOnlyList<string> containers)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>The images on which the containers run now; of a container that is not there, none.</summary>
    public async Task<IReadOnlyList<string>> NowAsync(CancellationToken cancellationToken)
    {
        var found = await Task.WhenAll(containers.Select(container => engine.InspectAsync("container", container, cancellationToken)));
        return [.. found.Select(container => container.Found?.Image).OfType<string>()];
    }

    /// <summary>Removes those that nothing needs any more.</summary>
    /// <param name="images">Their ids.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RemoveAsync(IEnumerable<string> images, CancellationToken cancellationToken)
    {
        foreach (var image in images.Distinct())
        {
            if ((await engine.InspectAsync("image", image, cancellationToken)).Found is { RepoTags: null or [] })
            {
                // The engine refuses while there is a container of it.
                await engine.RunAsync(s_limit, cancellationToken, "image", "rm", image);
            }
        }
    }
}
