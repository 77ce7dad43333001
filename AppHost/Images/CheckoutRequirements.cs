using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Images;

/// <summary>The Python packages that a checkout's requirements.txt asks for, and the stand-in image that has them as far as
/// Debian does.</summary>
internal static partial class CheckoutRequirements
{
    private const string Folder = "flask";

    /// <summary>The file.</summary>
    public static string File(UvlhubCheckout checkout) => Path.Combine(checkout.Path, "requirements.txt");

    /// <summary>The packages' names as the file writes them; none if there is no file.</summary>
    public static IReadOnlyList<string> Read(UvlhubCheckout checkout) => !System.IO.File.Exists(File(checkout)) ? [] :
    [
        .. System.IO.File.ReadLines(File(checkout))
            .Select(line => RequirementName().Match(line))
            .Where(match => match.Success)
            .Select(match => match.Groups["name"].Value),
    ];

    /// <summary>The packages that the file asks for in one version.</summary>
    public static IReadOnlyList<PinnedRequirement> Pinned(UvlhubCheckout checkout) => !System.IO.File.Exists(File(checkout)) ? [] :
    [
        .. System.IO.File.ReadLines(File(checkout)).Index()
            .Select(line => (Number: line.Index + 1, Match: Pin().Match(line.Item)))
            .Where(line => line.Match.Success)
            .Select(line => new PinnedRequirement(Normalise(line.Match.Groups[1].Value), line.Match.Groups[2].Value, line.Number)),
    ];

    /// <summary>A name as it is compared (PEP 503): runs of <c>-</c>, <c>_</c> and <c>.</c> are one dash, letters are lower case.</summary>
    public static string Normalise(string name) => Separators().Replace(name.Trim(), "-").ToLowerInvariant();

    /// <summary>
    /// The stand-in for a checkout's Python image: the one that all checkouts share, and on it, where that lacks some of
    /// the requirements, a layer with those of them that Debian has. Its tag is a digest of what is asked for.
    /// </summary>
    public static ImageRecipe StandIn(UvlhubCheckout checkout)
    {
        var standIn = ImageRecipe.StandIn(RepositoryFolder.StandIn(Folder));
        string[] missing = [.. Read(checkout).Select(Normalise).Except(Provided()).Order(StringComparer.Ordinal)];
        if (missing.Length == 0)
        {
            return standIn;
        }

        var requirements = string.Join(' ', missing);
        var context = Path.Combine(RepositoryFolder.Images, Folder, "requirements");
        var digest = Names.Digest(requirements, 12);
        return new ImageRecipe(
            $"{standIn.Image}-{digest}", Path.Combine(context, "Dockerfile"), context, NeedsDebianBase: true, IsContentTagged: true)
        {
            Base = standIn,
            Arguments = new Dictionary<string, string> { ["BASE"] = standIn.Image, ["REQUIREMENTS"] = requirements },
        };
    }

    private static string[] Provided() => System.IO.File.ReadAllLines(Path.Combine(RepositoryFolder.Images, Folder, "provides.txt"));

    // A name at the beginning of its line; an address or an option is none, but for a repository of git's, whose name is most often the
    // package's where none is said (git+https://example.org/team/thing.git@main#egg=thing).
    [GeneratedRegex(
        @"^(?<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?=\s*(?:$|[\[(<>=!~;@#]))|"
        + @"^(?:(?:-e|--editable)[\s=]+)?git\+\w+://[^\s/]+/(?:[^\s@#]+/)?(?<name>[A-Za-z0-9][\w.-]*?)(?:\.git)?(?:@[^\s#]*)?"
        + @"(?:#(?:\S*&)?(?:egg=(?<name>[A-Za-z0-9][\w.-]*))?\S*)?(?=\s|$)")]
    private static partial Regex RequirementName();

    [GeneratedRegex(@"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;#,]+)")]
    private static partial Regex Pin();

    [GeneratedRegex("[-_.]+")]
    private static partial Regex Separators();
}

/// <summary>A package in one version.</summary>
/// <param name="Name">Its name as it is compared.</param>
/// <param name="Version">Its version.</param>
/// <param name="Line">Where that stands, counted from 1.</param>
internal sealed record PinnedRequirement(string Name, string Version, int Line);
