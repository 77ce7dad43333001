namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// OpenTelemetry and debugpy, which telemetry and the debugger need in any image: a layer upon it, with a folder of its own, in versions
/// that go with what the image has. Where none do, the layer says so and the site runs without.
/// </summary>
internal static class ToolPackages
{
    /// <summary>The folder with the Dockerfile and the script that installs them.</summary>
    public static string Folder => Path.Combine(RepositoryFolder.Images, "packages");

    /// <summary>Where they lie in the image.</summary>
    public const string Installed = "/opt/uvlhub-aspire/packages";

    /// <summary>The image with the layer.</summary>
    /// <param name="image">The image below it.</param>
    /// <param name="name">What it is called, with its tag.</param>
    public static ImageRecipe Upon(ImageRecipe image, string name)
    {
        var below = image.Inputs!;
        return new ImageRecipe(name, Path.Combine(Folder, "Dockerfile"), Folder, NeedsDebianBase: false, IsContentTagged: false)
        {
            Base = image,
            Arguments = new Dictionary<string, string> { ["BASE"] = image.Image },
            Inputs = () => Names.Digest(
                $"{below()} {BuildInputs.Digest(Path.Combine(Folder, "Dockerfile"), Folder, mountedOver: null)}", 16),
        };
    }
}
