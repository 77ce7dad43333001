using System.Collections.Concurrent;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Decides which image stands behind a container of the model: the real one, or a build from Debian's packages.</summary>
/// <param name="engine">The container engine.</param>
/// <param name="setting">Which images are allowed.</param>
public sealed class ImageChooser(ContainerEngine engine, ImageSourceSetting setting)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(8);

    // Containers share images: each is asked for once. The answer is everybody's, so nobody who goes away ends the question.
    private readonly ConcurrentDictionary<string, Task<bool>> _present = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Task<string?>> _refusals = new(StringComparer.Ordinal);

    /// <summary>Asks anew which images are present.</summary>
    public void Forget() => _present.Clear();

    /// <summary>Chooses for one container.</summary>
    /// <param name="container">A container with a <see cref="ContainerImage"/>.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    public async Task<ImageChoice> ChooseAsync(ContainerResource container, CancellationToken cancellationToken)
    {
        var source = setting.Source;
        var image = container.Annotations.OfType<ContainerImage>().Last();
        container.TryGetContainerImageName(out var real);
        var wanted = image.CheckoutBuild is { } build
            ? new ImageChoice(build.Image, $"built from {build.Dockerfile}", build)
            : new ImageChoice(real!, "the image that the model names", null);
        var needed = image.BaseImages ?? [real!];
        if (source == ImageSource.Registry)
        {
            return wanted;
        }

        if (image.StandInRecipe is not { } standIn)
        {
            return await ChooseWithoutStandInAsync(wanted, needed, source, cancellationToken);
        }

        if (source == ImageSource.Debian)
        {
            return new ImageChoice(
                standIn.Image, $"built from Debian's packages in place of {Described(image, real!)}, because {setting.Name}=debian",
                standIn);
        }

        var isBuilt = IsPresentAsync((standIn.Base ?? standIn).Image, cancellationToken);
        var isHere = standIn.IsContentTagged ? IsPresentAsync(standIn.Image, cancellationToken) : Task.FromResult(false);
        if (await AllPresentAsync(needed, cancellationToken))
        {
            return wanted.Present();
        }

        if (await isBuilt || await isHere)
        {
            return new ImageChoice(
                standIn.Image,
                $"built earlier from Debian's packages in place of {Described(image, real!)}; {setting.Name}=registry pulls that one",
                standIn)
            { IsHere = await isHere };
        }

        var refusal = await RefusalAsync(needed, cancellationToken);
        return refusal is null
            ? wanted.Pulled()
            : new ImageChoice(
                standIn.Image,
                $"built from Debian's packages in place of {Described(image, real!)}, which no registry delivers here ({refusal})",
                standIn);
    }

    private async Task<ImageChoice> ChooseWithoutStandInAsync(
        ImageChoice wanted, IReadOnlyList<string> needed, ImageSource source, CancellationToken cancellationToken)
    {
        if (await AllPresentAsync(needed, cancellationToken))
        {
            return wanted.Present();
        }

        var refusal = source == ImageSource.Debian ? $"{setting.Name}=debian asks none" : await RefusalAsync(needed, cancellationToken);
        return refusal is null ? wanted.Pulled() : wanted with
        {
            Reason = $"{string.Join(", ", needed)} is not on this machine, and no registry delivers it ({refusal}). Pull, load or build "
                + "it, then start the resource in the dashboard",
            IsOutOfReach = true,
        };
    }

    private static string Described(ContainerImage image, string real) =>
        image.CheckoutBuild is { } build ? $"{Path.GetFileName(build.Dockerfile)} on {string.Join(", ", image.BaseImages ?? [])}" : real;

    /// <summary>Whether all images are present on this machine.</summary>
    public async Task<bool> AllPresentAsync(IEnumerable<string> images, CancellationToken cancellationToken) =>
        (await Task.WhenAll(images.Select(image => IsPresentAsync(image, cancellationToken)))).All(present => present);

    private Task<bool> IsPresentAsync(string image, CancellationToken cancellationToken) =>
        _present.GetOrAdd(image, name => engine.HasImageAsync(name, CancellationToken.None)).WaitAsync(cancellationToken);

    // Why the images cannot be pulled; null if all can. They are not pulled for it.
    private async Task<string?> RefusalAsync(IEnumerable<string> images, CancellationToken cancellationToken)
    {
        var refusals = await Task.WhenAll(images.Select(image => _refusals.GetOrAdd(image, RefusalAsync))).WaitAsync(cancellationToken);
        return refusals.FirstOrDefault(refusal => refusal is not null);
    }

    private async Task<string?> RefusalAsync(string image)
    {
        var result = await engine.RunAsync(s_limit, CancellationToken.None, "manifest", "inspect", image);
        return result.Succeeded ? null : result.Error.Split('\n')[0].Trim();
    }
}

/// <summary>The image of one container.</summary>
/// <param name="Image">Its full name.</param>
/// <param name="Reason">Why it is that one.</param>
/// <param name="Recipe">How it is built; <see langword="null"/> if it is pulled, or present.</param>
public sealed record ImageChoice(string Image, string Reason, ImageRecipe? Recipe)
{
    /// <summary>Whether the container cannot run, because nothing delivers the image.</summary>
    public bool IsOutOfReach { get; init; }

    /// <summary>Whether it is on the machine and needs no build: see <see cref="ImageIsHere"/>.</summary>
    public bool IsHere { get; init; }

    /// <summary>The same, for an image that is here.</summary>
    public ImageChoice Present() => this with { IsHere = Recipe is null, Reason = Recipe is null ? "present on this machine" : $"{Reason}; its base image is present on this machine" };

    /// <summary>The same, for an image that a registry delivers.</summary>
    public ImageChoice Pulled() => this with { Reason = Recipe is null ? "pulled from its registry" : Reason };
}
