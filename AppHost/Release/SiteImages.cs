using System.Security.Cryptography;
using System.Text;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Release;

/// <summary>
/// The images that hold a checkout's code: one that serves and one that migrates, on the base of the checkout's
/// production Dockerfile, or on the stand-in where that cannot be had.
/// </summary>
/// <param name="checkout">The checkout.</param>
/// <param name="dockerfile">The Dockerfile to build; the checkout's production one.</param>
/// <param name="name">The image's name, without a tag.</param>
/// <param name="version">The version: the build argument <c>VERSION_TAG</c>, and the tag.</param>
internal sealed class SiteImages(UvlhubCheckout checkout, Dockerfile dockerfile, string name, string version)
{
    private const string StandIn = "flask";

    /// <summary>The image that serves.</summary>
    public ContainerImage Web { get; } = Image(checkout, dockerfile, name, version, SiteDockerfile.WebStage);

    /// <summary>The image that migrates.</summary>
    public ContainerImage Migrator { get; } = Image(checkout, dockerfile, $"{name}-migrator", version, SiteDockerfile.MigratorStage);

    private static ContainerImage Image(UvlhubCheckout checkout, Dockerfile dockerfile, string name, string version, string stage)
    {
        var standIn = ImageRecipe.StandIn(StandIn);
        return new ContainerImage(StandIn, Recipe("site", SiteDockerfile.OnItsOwnBase(dockerfile), version), dockerfile.BaseImages)
        {
            StandInBuild = Recipe("standin", SiteDockerfile.OnStandIn(dockerfile, standIn.Image), $"{version}-debian") with { Base = standIn },
        };

        ImageRecipe Recipe(string kind, string text, string tag) => new($"{name}:{tag}", Write(checkout, dockerfile, kind, text), checkout.Path, NeedsDebianBase: false, IsContentTagged: false)
        {
            Target = stage,
            Arguments = new Dictionary<string, string> { ["VERSION_TAG"] = version },
            Contexts = new Dictionary<string, string>
            {
                [SiteDockerfile.StartupContext] = Path.Combine(RepositoryFolder.AppHost, "Flask", "startup"),
                [SiteDockerfile.RunnerContext] = RunnerPublish.Folder,
            },
            Prepare = stage == SiteDockerfile.MigratorStage ? RunnerPublish.EnsureAsync : (_, _) =>
            {
                // The builder wants every folder that it is told of, also those that this stage does not use.
                Directory.CreateDirectory(RunnerPublish.Folder);
                return Task.CompletedTask;
            },
        };
    }

    // Outside of the checkout, which nobody writes into.
    private static string Write(UvlhubCheckout checkout, Dockerfile dockerfile, string kind, string text)
    {
        var folder = Directory.CreateDirectory(Path.Combine(RepositoryFolder.AppHost, "obj", "uvlhub-images", $"{checkout.Name}-{Digest(checkout.Path)}")).FullName;
        var file = Path.Combine(folder, $"{Path.GetFileName(dockerfile.Path)}.{kind}");
        Replace(file, text);
        Replace($"{file}.dockerignore", SiteDockerfile.Ignored(checkout));
        return file;
    }

    // By way of another name, so that no builder ever reads half a file.
    private static void Replace(string file, string text)
    {
        var temporary = $"{file}.{Environment.ProcessId}";
        File.WriteAllText(temporary, text);
        File.Move(temporary, file, overwrite: true);
    }

    /// <summary>Eight characters that tell one folder from another of the same name.</summary>
    public static string Digest(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..8];
}
