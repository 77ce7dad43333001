using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>An image that is built here: a Dockerfile, its context, and a tag that changes when its inputs do.</summary>
/// <param name="Image">The full name with its tag.</param>
/// <param name="Dockerfile">The Dockerfile's path.</param>
/// <param name="Context">The folder that is sent to the builder.</param>
/// <param name="NeedsDebianBase">Whether it starts from <see cref="DebianBase.Image"/>.</param>
/// <param name="IsContentTagged">Whether an image of this name needs no further build.</param>
public sealed record ImageRecipe(string Image, string Dockerfile, string Context, bool NeedsDebianBase, bool IsContentTagged)
{
    /// <summary>
    /// What the image is made of, as a digest: an image that carries another, or none, is built anew. <see langword="null"/> where its
    /// name says all (<see cref="IsContentTagged"/>), or where it is built each time.
    /// </summary>
    public Func<string>? Inputs { get; init; }

    /// <summary>The Dockerfile that people know; another one may be built upon it.</summary>
    public string Source => Base is { NeedsDebianBase: false } own ? own.Source : Dockerfile;

    /// <summary>Build arguments. They reach the builder through its environment: a value may be a secret.</summary>
    public IReadOnlyDictionary<string, string> Arguments { get; init; } = new Dictionary<string, string>();

    /// <summary>The stage at which the build ends; <see langword="null"/> for the last one.</summary>
    public string? Target { get; init; }

    /// <summary>Further folders that the Dockerfile copies from, by the names that it has for them.</summary>
    public IReadOnlyDictionary<string, string> Contexts { get; init; } = new Dictionary<string, string>();

    /// <summary>The image that this one starts from, if that is built here as well.</summary>
    public ImageRecipe? Base { get; init; }

    /// <summary>
    /// Base images that are built here and take the place of those that the Dockerfile names, by their names in it. No registry is
    /// asked for such a name.
    /// </summary>
    public IReadOnlyDictionary<string, ImageRecipe> ReplacedBases { get; init; } = new Dictionary<string, ImageRecipe>();

    /// <summary>What the build is given beside what its Dockerfile says, in one line for people; <see langword="null"/> for
    /// nothing.</summary>
    public string? Note { get; init; }

    /// <summary>Who knows what the build runs; <see langword="null"/> for nobody.</summary>
    public IBuildAdvisor? Advisor { get; init; }

    /// <summary>What has to be done before the build, and then what is built; <see langword="null"/> if nothing has to.</summary>
    public Func<ImageRecipe, ILogger, CancellationToken, Task<ImageRecipe>>? Prepare { get; init; }

    /// <summary>
    /// A stand-in that is built from Debian's packages. Its tag is a digest of the folder, so that a changed recipe is a new image, and it
    /// carries a name of its own: nobody mistakes it for the image that it stands in for.
    /// </summary>
    /// <param name="folder">The folder with its Dockerfile.</param>
    public static ImageRecipe StandIn(string folder)
    {
        var context = Path.GetFullPath(folder);
        return new ImageRecipe(
            $"uvlhub-aspire/{Path.GetFileName(context)}:debian-{Digest(context)}",
            Path.Combine(context, "Dockerfile"),
            context,
            NeedsDebianBase: true,
            IsContentTagged: true);
    }

    private static string Digest(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder, file)));
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }
}
