namespace UvlhubAspire.AppHost.Production;

/// <summary>What a registry has under one name and tag.</summary>
/// <param name="engine">The container engine; it has logged in where that is needed.</param>
/// <param name="image">The image's name with its tag.</param>
internal sealed class RegistryVersions(ContainerEngine engine, string image) : IVersionSource
{
    private static readonly TimeSpan s_asked = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_pulled = TimeSpan.FromMinutes(15);

    public async Task<VersionChange> TakeAsync(CancellationToken cancellationToken)
    {
        var before = await IdAsync(cancellationToken);
        var pulled = await engine.RunAsync(s_pulled, cancellationToken, "pull", "--quiet", image);
        return pulled.Succeeded ? new VersionChange(before, await IdAsync(cancellationToken)) { Image = before }
            : throw new DeploymentException($"{image} could not be pulled: {pulled.Error.Split('\n')[^1]}");
    }

    public async Task<string?> PutBackAsync(VersionChange change, CancellationToken cancellationToken)
    {
        if (!change.IsNew || change.Before.Length == 0)
        {
            return null;
        }

        var tagged = await engine.RunAsync(s_asked, cancellationToken, "tag", change.Before, image);
        return tagged.Succeeded ? null : tagged.Error;
    }

    private async Task<string> IdAsync(CancellationToken cancellationToken) =>
        (await engine.InspectAsync("image", image, cancellationToken)).Found?.Id ?? "";
}
