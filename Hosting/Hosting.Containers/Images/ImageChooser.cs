using System.Collections.Concurrent;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Decides which image stands behind a container of the model: the real one, or a build from Debian's packages.</summary>
/// <param name="engine">The container engine.</param>
/// <param name="puller">Asks registries.</param>
/// <param name="builder">Knows what is built.</param>
/// <param name="setting">Which images are allowed.</param>
public sealed class ImageChooser(ContainerEngine engine, ImagePuller puller, ImageBuilder builder, ImageSourceSetting setting)
{
    // A registry that has not answered by then is none. All are asked at once, so this is what a start waits for at most.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(8);

    // Containers share images: each is asked for once. The answer is everybody's, so nobody who goes away ends the question.
    private readonly ConcurrentDictionary<string, Task<bool>> _present = new(StringComparer.Ordinal);

    /// <summary>Chooses for one container.</summary>
    /// <param name="container">A container with a <see cref="ContainerImage"/>.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    public async Task<ImageChoice> ChooseAsync(ContainerResource container, CancellationToken cancellationToken)
    {
        var image = container.Annotations.OfType<ContainerImage>().Last();
        container.TryGetContainerImageName(out var real);
        var needed = image.BaseImages ?? [real!];
        var wanted = image.CheckoutBuild is { } build
            ? new ImageChoice(build.Image, $"built from {build.Source}", needed) { Recipe = build }
            : new ImageChoice(real!, "the image that the model names", needed);
        if (setting.Source == ImageSource.Debian && image.StandInRecipe is { } only)
        {
            return StandIn(image, real!, only, $"because {setting.Name}=debian");
        }

        // Not asked where the real image cannot take the place anyway: it costs a look into a volume.
        if (setting.Source == ImageSource.Auto && image is { HeldBack: { } heldBack, StandInRecipe: { } held }
            && (await AllPresentAsync(needed, cancellationToken) || !await IsBuiltAsync(held, cancellationToken))
            && await heldBack(cancellationToken) is { } reason)
        {
            return StandIn(image, real!, held, reason) with { IsHere = await builder.IsHereAsync(held, cancellationToken) };
        }

        if (await AllPresentAsync(needed, cancellationToken))
        {
            return wanted.Recipe is not { } recipe ? wanted with { IsHere = true, Reason = "present on this machine" }
                : await builder.IsHereAsync(recipe, cancellationToken)
                    ? wanted with { IsHere = true, Reason = $"{wanted.Reason} earlier; nothing has changed that it is built from" }
                    : wanted with { Reason = $"{wanted.Reason}; its base image is present on this machine" };
        }

        if (setting.Source == ImageSource.Registry)
        {
            return wanted.Pulled();
        }

        if (image.StandInRecipe is { } standIn && await IsBuiltAsync(standIn, cancellationToken))
        {
            return StandIn(image, real!, standIn, "built earlier; a registry that delivers that one is asked while the site runs") with
            {
                IsHere = await builder.IsHereAsync(standIn, cancellationToken),
                InPlaceOf = needed,
            };
        }

        var answer = setting.Source == ImageSource.Debian
            ? new PullAnswer($"{setting.Name}=debian asks none", IsNoAnswer: true)
            : await AnswerAsync(needed, cancellationToken);
        // What a registry does answer is said when the container starts, and nothing takes the image's place without a word.
        return answer is not { IsNoAnswer: true, Problem: { } problem } ? wanted.Pulled()
            : image.StandInRecipe is { } made ? StandIn(image, real!, made, $"which no registry delivers here ({problem})")
            : wanted with
            {
                Reason = $"{string.Join(", ", needed)} is not on this machine, and no registry delivers it ({problem}). Pull, load or build "
                    + "it, then start the resource in the dashboard",
                IsOutOfReach = true,
            };
    }

    private static ImageChoice StandIn(ContainerImage image, string real, ImageRecipe recipe, string why)
    {
        var replaced = image.CheckoutBuild is { } build
            ? $"{Path.GetFileName(build.Source)} on {string.Join(", ", image.BaseImages ?? [])}"
            : real;
        return new ImageChoice(recipe.Image, $"built from Debian's packages in place of {replaced}, {why}", []) { Recipe = recipe };
    }

    // What Debian's packages make takes minutes; a layer of a checkout's own upon it takes seconds.
    private async Task<bool> IsBuiltAsync(ImageRecipe recipe, CancellationToken cancellationToken) =>
        await IsPresentAsync((recipe.Base ?? recipe).Image, cancellationToken);

    /// <summary>Whether all images are present on this machine.</summary>
    public async Task<bool> AllPresentAsync(IEnumerable<string> images, CancellationToken cancellationToken) =>
        (await Task.WhenAll(images.Select(image => IsPresentAsync(image, cancellationToken)))).All(present => present);

    private Task<bool> IsPresentAsync(string image, CancellationToken cancellationToken) =>
        _present.GetOrAdd(image, name => engine.HasImageAsync(name, CancellationToken.None)).WaitAsync(cancellationToken);

    // What the registries say of those that are not here: the first problem, if one has any. The pulls go on.
    private async Task<PullAnswer> AnswerAsync(IEnumerable<string> images, CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(images.Select(async image =>
        {
            if (await IsPresentAsync(image, cancellationToken))
            {
                return PullAnswer.Delivers;
            }

            try
            {
                return await puller.Begin(image).Answer.WaitAsync(s_limit, cancellationToken);
            }
            catch (TimeoutException)
            {
                return new PullAnswer($"no answer within {s_limit.TotalSeconds:0} s", IsNoAnswer: true);
            }
        }));
        return answers.OrderBy(answer => answer.IsNoAnswer).FirstOrDefault(answer => answer.Problem is not null) ?? PullAnswer.Delivers;
    }
}

/// <summary>The image of one container.</summary>
/// <param name="Image">Its full name.</param>
/// <param name="Reason">Why it is that one.</param>
/// <param name="Needed">What has to be here first: the image itself, or what it is built on.</param>
public sealed record ImageChoice(string Image, string Reason, IReadOnlyList<string> Needed)
{
    /// <summary>How it is built; <see langword="null"/> if it is pulled, or present.</summary>
    public ImageRecipe? Recipe { get; init; }

    /// <summary>The real images that this one stands in for, where nobody has been asked for them yet.</summary>
    public IReadOnlyList<string> InPlaceOf { get; init; } = [];

    /// <summary>Whether the container cannot run, because nothing delivers the image.</summary>
    public bool IsOutOfReach { get; init; }

    /// <summary>Whether it is on the machine and needs no build: see <see cref="ImageIsHere"/>.</summary>
    public bool IsHere { get; init; }

    /// <summary>The same, for an image that a registry delivers.</summary>
    public ImageChoice Pulled() => this with { Reason = Recipe is null ? "pulled from its registry" : Reason };
}
