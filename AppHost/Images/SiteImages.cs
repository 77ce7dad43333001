namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// The images that hold a checkout's code: one that serves and one that migrates, on the base of the checkout's
/// production Dockerfile, or on the stand-in where that cannot be had.
/// </summary>
/// <param name="checkout">The checkout.</param>
/// <param name="dockerfile">The Dockerfile to build; the checkout's production one.</param>
/// <param name="name">The image's name, without a tag.</param>
/// <param name="version">The version: the build argument <c>VERSION_TAG</c>, and at the start the tag. It is read again at each build.</param>
internal sealed class SiteImages(UvlhubCheckout checkout, Dockerfile dockerfile, string name, Func<string> version)
{
    private const string StandIn = "flask";

    /// <summary>The image that serves.</summary>
    public ContainerImage Web { get; private init; } = FromCheckout(checkout, dockerfile, name, version, SiteDockerfile.WebStage);

    /// <summary>The image that migrates.</summary>
    public ContainerImage Migrator { get; private init; } = FromCheckout(checkout, dockerfile, $"{name}-migrator", version, SiteDockerfile.MigratorStage);

    /// <summary>The same of an image that somebody else has built of the checkout.</summary>
    /// <param name="image">Its name with its tag.</param>
    public SiteImages On(string image)
    {
        return new SiteImages(checkout, dockerfile, name, version)
        {
            Web = Image(name, SiteDockerfile.WebStage),
            Migrator = Image($"{name}-migrator", SiteDockerfile.MigratorStage),
        };

        ContainerImage Image(string built, string stage) =>
            new(StandIn: null, Recipe(checkout, "registry.Dockerfile", () => SiteDockerfile.OnImage(image), $"{built}:registry", version, stage), [image]);
    }

    private static ContainerImage FromCheckout(UvlhubCheckout checkout, Dockerfile dockerfile, string name, Func<string> version, string stage)
    {
        var standIn = CheckoutRequirements.StandIn(checkout);
        var file = Path.GetFileName(dockerfile.Path);
        var tag = version();
        return new ContainerImage(
            RepositoryFolder.StandIn(StandIn),
            Recipe(checkout, $"{file}.site", () => SiteDockerfile.OnItsOwnBase(dockerfile), $"{name}:{tag}", version, stage),
            dockerfile.BaseImages)
        {
            StandInBuild = Recipe(checkout, $"{file}.standin", () => SiteDockerfile.OnStandIn(dockerfile, standIn.Image), $"{name}:{tag}-debian", version, stage) with { Base = standIn },
        };
    }

    private static ImageRecipe Recipe(UvlhubCheckout checkout, string file, Func<string> text, string image, Func<string> version, string stage)
    {
        var arguments = new Dictionary<string, string>();
        return new ImageRecipe(image, Write(checkout, file, text()), checkout.Path, NeedsDebianBase: false, IsContentTagged: false)
        {
            Target = stage,
            Arguments = arguments,
            Contexts = new Dictionary<string, string>
            {
                [SiteDockerfile.StartupContext] = Path.Combine(RepositoryFolder.AppHost, "Site", "Flask", "startup"),
                [SiteDockerfile.RunnerContext] = RunnerPublish.Folder,
            },
            Prepare = async (logger, cancellationToken) =>
            {
                // The code may be newer than at the start.
                arguments["VERSION_TAG"] = version();
                Write(checkout, file, text());
                if (stage == SiteDockerfile.MigratorStage)
                {
                    await RunnerPublish.EnsureAsync(logger, cancellationToken);
                }

                // The builder wants every folder that it is told of, also those that this stage does not use.
                Directory.CreateDirectory(RunnerPublish.Folder);
            },
        };
    }

    // Outside of the checkout, which nobody writes into.
    private static string Write(UvlhubCheckout checkout, string name, string text)
    {
        var folder = Directory.CreateDirectory(Path.Combine(RepositoryFolder.AppHost, "obj", "uvlhub-images", $"{checkout.Name}-{Digest(checkout.Path)}")).FullName;
        var file = Path.Combine(folder, name);
        Replace(file, text);
        Replace($"{file}.dockerignore", SiteDockerfile.Ignored(checkout));
        return file;
    }

    // By way of another name, so that no builder ever reads half a file. One of its own each time, because the site's image
    // and the migrator's are prepared side by side.
    private static void Replace(string file, string text)
    {
        var temporary = $"{file}.{Guid.NewGuid():N}";
        File.WriteAllText(temporary, text);
        File.Move(temporary, file, overwrite: true);
    }

    /// <summary>Eight characters that tell one folder from another of the same name.</summary>
    public static string Digest(string path) => Names.Digest(path, 8);
}
