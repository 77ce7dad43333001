namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// The images that hold a checkout's code: one that serves and one that migrates, on the base of the checkout's
/// production Dockerfile, or on the stand-in where that cannot be had.
/// </summary>
/// <param name="checkout">The checkout.</param>
/// <param name="pip">How pip may be helped.</param>
/// <param name="index">Knows what pip can have.</param>
/// <param name="name">The image's name, without a tag.</param>
/// <param name="version">The version: at the start the tag, and at each build the build argument <c>VERSION_TAG</c>.</param>
/// <param name="migratorStage">The stage of the image that migrates: one that leaves the machine has to do what the AppHost does here.</param>
internal sealed class SiteImages(
    UvlhubCheckout checkout, UvlhubOptions.PipOptions pip, PackageIndex index, string name,
    Func<CancellationToken, Task<string>> version, string migratorStage)
{
    private const string StandIn = "flask";
    private const string OperatorStandIn = "operator";

    /// <summary>The image that serves.</summary>
    public ContainerImage Web => field ??= Image(name, SiteDockerfile.WebStage);

    /// <summary>The image that migrates; a published one has what a server is looked after with as well.</summary>
    public ContainerImage Migrator => field ??= Image($"{name}-migrator", migratorStage);

    private ContainerImage Image(string built, string stage)
    {
        var (dockerfile, parent) = (checkout.SiteDockerfile, CheckoutRequirements.StandIn(checkout));
        var file = Path.GetFileName(dockerfile.Path);
        var operatorImages = stage is SiteDockerfile.OperatorStage or SiteDockerfile.SftpStage ? SiteDockerfile.OperatorImages : [];
        return Tagged("latest") with { AtStart = async cancellationToken => Tagged(await version(cancellationToken)) };

        ContainerImage Tagged(string tag) => new(
            RepositoryFolder.StandIn(StandIn),
            PipAdvisor.Help(
                Recipe($"{built}:{tag}", $"{file}.site", () => SiteDockerfile.OnItsOwnBase(dockerfile), stage), checkout, dockerfile, pip, index),
            [.. dockerfile.BaseImages, .. operatorImages])
        {
            StandInBuild = Recipe(
                $"{built}:{tag}-debian", $"{file}.standin", () => SiteDockerfile.OnStandIn(dockerfile, parent.Image), stage, parent) with
            {
                ReplacedBases = operatorImages.ToDictionary(
                    image => image, _ => ImageRecipe.StandIn(RepositoryFolder.StandIn(OperatorStandIn))),
            },
        };
    }

    private ImageRecipe Recipe(string image, string dockerfile, Func<string> text, string stage, ImageRecipe? parent = null)
    {
        // Outside of the checkout, which nobody writes into.
        var file = Path.Combine(RepositoryFolder.AppHost, "obj", "uvlhub-images", $"{checkout.Name}-{Names.Digest(checkout.Path, 8)}", dockerfile);
        return new ImageRecipe(image, file, checkout.Path, NeedsDebianBase: false, IsContentTagged: false)
        {
            Target = stage,
            Base = parent,
            Contexts = new Dictionary<string, string>
            {
                [SiteDockerfile.PackagesContext] = ToolPackages.Folder,
                [SiteDockerfile.StartupContext] = Path.Combine(RepositoryFolder.AppHost, "Site", "Flask", "startup"),
                [SiteDockerfile.RunnerContext] = RunnerPublish.Folder,
            },
            Prepare = async (recipe, logger, cancellationToken) =>
            {
                // Not at the start, because the code may be newer by now.
                await ReplaceAsync(file, text(), cancellationToken);
                await ReplaceAsync($"{file}.dockerignore", SiteDockerfile.Ignored(checkout), cancellationToken);
                if (stage != SiteDockerfile.WebStage)
                {
                    await RunnerPublish.EnsureAsync(logger, cancellationToken);
                }

                // The builder wants every folder that it is told of, also those that this stage does not use.
                Directory.CreateDirectory(RunnerPublish.Folder);
                return recipe with { Arguments = new Dictionary<string, string> { ["VERSION_TAG"] = await version(cancellationToken) } };
            },
        };
    }

    // By way of another name, so that no builder ever reads half a file. One of its own each time, because the site's image
    // and the migrator's are prepared side by side.
    private static async Task ReplaceAsync(string file, string text, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var temporary = $"{file}.{Guid.NewGuid():N}";
        await File.WriteAllTextAsync(temporary, text, cancellationToken);
        File.Move(temporary, file, overwrite: true);
    }
}
