using System.Globalization;
using System.Text.RegularExpressions;

namespace UvlhubAspire.AppHost.Images;

/// <summary>
/// Knows why <c>pip install</c> of a checkout's requirements fails, and what helps without a word in the checkout: the name of the
/// Dockerfile's base image stands for one that gives pip variables. First the remedy of a cause that is known; then the index as it was
/// when the requirements were written.
/// </summary>
/// <param name="checkout">The checkout.</param>
/// <param name="dockerfile">The Dockerfile of it that is built.</param>
/// <param name="options">What may be done.</param>
/// <param name="index">Knows what there is to be had.</param>
/// <param name="tried">What has been done already.</param>
internal sealed partial class PipAdvisor(
    UvlhubCheckout checkout, Dockerfile dockerfile, UvlhubOptions.PipOptions options, PackageIndex index, PipRemedy tried = PipRemedy.None)
    : IBuildAdvisor
{
    private const string Auto = "auto";
    private const string None = "none";
    private const string Constraints = "/opt/uvlhub-aspire/build-constraints.txt";
    private const string WithPkgResources = "setuptools<81";
    private static readonly TimeSpan s_git = TimeSpan.FromSeconds(10);

    // Packages whose builds import pkg_resources, up to the first version that does not, and that have no wheels.
    private static readonly Dictionary<string, Version> s_pkgResources = new(StringComparer.Ordinal) { ["dd"] = new(0, 6) };

    /// <summary>A recipe whose build is helped: from the start with what is set or known, later with what a failure tells.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="checkout">The checkout.</param>
    /// <param name="dockerfile">The Dockerfile of it that is built.</param>
    /// <param name="options">What may be done.</param>
    /// <param name="index">Knows what there is to be had.</param>
    public static ImageRecipe Help(
        ImageRecipe recipe, UvlhubCheckout checkout, Dockerfile dockerfile, UvlhubOptions.PipOptions options, PackageIndex index)
    {
        var advisor = new PipAdvisor(checkout, dockerfile, options, index);
        var helped = recipe with { Advisor = advisor };
        if (options.BuildConstraint is not (Auto or None))
        {
            helped = advisor.Constrained(helped, options.BuildConstraint, $"as {Setting(nameof(options.BuildConstraint))} says");
        }
        else if (options.BuildConstraint == Auto && KnownToFail(checkout).FirstOrDefault() is { } known)
        {
            helped = advisor.Constrained(helped, WithPkgResources, known);
        }

        return options.Day is Auto or None ? helped
            : ((PipAdvisor)helped.Advisor!).Dated(helped, Day(options.Day), $"as {Setting(nameof(options.Day))} says");
    }

    /// <summary>The requirements that are known not to build with today's tools, and why, for a person.</summary>
    public static IEnumerable<string> KnownToFail(UvlhubCheckout checkout) =>
        from requirement in CheckoutRequirements.Pinned(checkout)
        where s_pkgResources.TryGetValue(requirement.Name, out var mended) && Version.TryParse(requirement.Version, out var version)
            && version < mended
        select $"{CheckoutRequirements.File(checkout)}:{requirement.Line}: {requirement.Name} {requirement.Version} is built from source "
            + "with pkg_resources, which setuptools 81 and later have no more";

    /// <summary>
    /// The requirements that have no wheel for the Dockerfile's Python, but for an older one, for a person: pip builds them from source,
    /// and most fail.
    /// </summary>
    /// <param name="checkout">The checkout.</param>
    /// <param name="dockerfile">The Dockerfile of it that is built.</param>
    /// <param name="index">Knows what there is to be had.</param>
    /// <param name="requirements">Which of them are looked at, by their names; <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public static async Task<IReadOnlyList<string>> WithoutWheelAsync(
        UvlhubCheckout checkout, Dockerfile dockerfile, PackageIndex index, IReadOnlySet<string>? requirements,
        CancellationToken cancellationToken) =>
    [
        .. (await index.WithoutWheelAsync(
            dockerfile.BaseImages[^1],
            [.. CheckoutRequirements.Pinned(checkout).Where(pin => requirements?.Contains(pin.Name) != false)], cancellationToken))
            .Select(old => $"{CheckoutRequirements.File(checkout)}:{old.Requirement.Line}: {old.Requirement.Name} {old.Requirement.Version} "
                + $"has wheels for Python {old.NewestPython} at most, and the image's is {old.ImagesPython}: take a newer version of it, or "
                + "an older Python in the Dockerfile's FROM"),
    ];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ExplainAsync(BuildFailure failure, CancellationToken cancellationToken) =>
        await CausesAsync(failure, cancellationToken) is { Count: > 0 } causes ? causes
            : [.. NotBuilt(failure.Output).Select(name => $"{Place(name)}: {name}{Pinned(name)} does not build from source here")];

    /// <inheritdoc/>
    public async Task<ImageRecipe?> RemedyAsync(ImageRecipe recipe, BuildFailure failure, CancellationToken cancellationToken)
    {
        var said = string.Join('\n', failure.Output);
        if (!tried.HasFlag(PipRemedy.Constraint) && options.BuildConstraint == Auto
            && said.Contains("No module named 'pkg_resources'", StringComparison.Ordinal))
        {
            return Constrained(recipe, WithPkgResources, "a package's build looks for pkg_resources, which setuptools has no more");
        }

        if (tried.HasFlag(PipRemedy.Day) || options.Day != Auto || !PipFailed().IsMatch(said) || NobodyAnswers().IsMatch(said)
            || (await CausesAsync(failure, cancellationToken)).Count > 0)
        {
            return null;
        }

        var requirements = CheckoutRequirements.File(checkout);
        return await CheckoutGit.AskAsync(checkout.Path, s_git, cancellationToken, "log", "-1", "--format=%cI", "--", requirements)
            is { Length: > 0 } committed
                ? Dated(
                    recipe, Day(committed),
                    $"pip fails for no cause that is known here, and {requirements} was last committed then")
                : null;
    }

    private static string Setting(string name) => $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Pip)}:{name}";

    private static DateTimeOffset Day(string day) =>
        DateTimeOffset.Parse(day, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private ImageRecipe Constrained(ImageRecipe recipe, string constraint, string why)
    {
        // An older pip than 25.3 knows the second variable alone, which binds the installation too. Most Dockerfiles begin with a newer pip;
        // one that does not is given that where the requirements name setuptools themselves.
        var isOld = !UpgradesPip().IsMatch(File.ReadAllText(dockerfile.Path));
        var pinsTools = CheckoutRequirements.Read(checkout).Select(CheckoutRequirements.Normalise).Contains("setuptools");
        return Replaced(
            recipe, PipRemedy.Constraint,
            $"pip builds packages from source with {constraint}: {why} ({Setting(nameof(options.BuildConstraint))})",
            $"""
            COPY <<"CONSTRAINTS" {Constraints}
            {constraint}
            CONSTRAINTS
            {(isOld && pinsTools ? NewerPip("25.3") : "")}
            ENV PIP_BUILD_CONSTRAINT={Constraints}{(isOld && !pinsTools ? $" PIP_CONSTRAINT={Constraints}" : "")}
            """);
    }

    private static string NewerPip(string version) =>
        $"RUN python -m pip install --root-user-action=ignore --upgrade \"pip>={version}\"";

    // The variable takes pip 26. What it downloads then proves that the index says when its files were uploaded.
    private ImageRecipe Dated(ImageRecipe recipe, DateTimeOffset day, string why)
    {
        var until = day.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        return Replaced(
            recipe, PipRemedy.Day,
            $"pip sees its index as it was on {day:yyyy-MM-dd}: {why} ({Setting(nameof(options.Day))})",
            $"""
            {NewerPip("26")}
            ENV PIP_UPLOADED_PRIOR_TO={until}
            RUN python -m pip download --no-deps --dest /tmp/probe setuptools && rm -r /tmp/probe
            """);
    }

    private ImageRecipe Replaced(ImageRecipe recipe, PipRemedy remedy, string note, string instructions) => recipe with
    {
        Note = note,
        Advisor = new PipAdvisor(checkout, dockerfile, options, index, tried | remedy),
        ReplacedBases = dockerfile.BaseImages.Distinct()
            .ToDictionary(image => image, image => Base(image, recipe.ReplacedBases.GetValueOrDefault(image), instructions)),
    };

    // One remedy upon the other.
    private static ImageRecipe Base(string image, ImageRecipe? earlier, string instructions)
    {
        var from = earlier?.Image ?? image;
        var digest = Names.Digest($"{from}\n{instructions}", 12);
        var folder = Path.Combine(RepositoryFolder.AppHost, "obj", "uvlhub-images", $"pip-{digest}");
        var file = Path.Combine(folder, "Dockerfile");
        return new ImageRecipe($"uvlhub-aspire/pip:{digest}", file, folder, NeedsDebianBase: false, IsContentTagged: true)
        {
            Base = earlier,
            Prepare = async (recipe, _, cancellationToken) =>
            {
                Directory.CreateDirectory(folder);
                await File.WriteAllTextAsync(file, $"FROM {from}\n{instructions}\n", cancellationToken);
                return recipe;
            },
        };
    }

    // 'Could not find a version that satisfies the requirement python-sat==1.8.dev13 (from versions: 0.1.3, 1.8.dev14)'.
    private string NotInIndex(Match match)
    {
        var (name, version) = (match.Groups["name"].Value, match.Groups["version"].Value);
        var there = match.Groups["there"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries).Where(other => other != "none");
        var nearest = there.OrderBy(other => Distance(other, version)).Take(3).ToList();
        return $"{Place(name)}: {name} {version} is not in the index for this image's Python; "
            + (nearest.Count == 0 ? "no other version is" : $"the nearest versions that are: {string.Join(", ", nearest)}");
    }

    // What only another requirements.txt, or another Python, mends.
    private async Task<IReadOnlyList<string>> CausesAsync(BuildFailure failure, CancellationToken cancellationToken)
    {
        List<Match> noVersion = [.. failure.Output.Select(line => NoVersion().Match(line)).Where(match => match.Success)];
        var names = noVersion.Select(match => match.Groups["name"].Value).Concat(NotBuilt(failure.Output))
            .Select(CheckoutRequirements.Normalise).ToHashSet();
        return names.Count == 0 ? []
            : await WithoutWheelAsync(checkout, dockerfile, index, names, cancellationToken) is { Count: > 0 } old ? old
            : [.. noVersion.Select(NotInIndex)];
    }

    private static IEnumerable<string> NotBuilt(IEnumerable<string> output) => output
        .SelectMany(line => FailedToBuild().Match(line) is { Success: true } match ? match.Groups["names"].Value.Split(", ") : [])
        .Select(name => name.Trim('\'', '`', ' '))
        .Distinct();

    private PinnedRequirement? PinOf(string name) =>
        CheckoutRequirements.Pinned(checkout).FirstOrDefault(pin => pin.Name == CheckoutRequirements.Normalise(name));

    private string Pinned(string name) => PinOf(name) is { } pin ? $" {pin.Version}" : "";

    private string Place(string name) => PinOf(name) is { } pin
        ? $"{CheckoutRequirements.File(checkout)}:{pin.Line}"
        : $"{CheckoutRequirements.File(checkout)} (by way of another package)";

    // How far two versions are apart, as people see it: the first number that differs counts most.
    private static double Distance(string one, string other)
    {
        var (first, second) = (Numbers(one), Numbers(other));
        return Enumerable.Range(0, 4)
            .Sum(at => Math.Abs(first.ElementAtOrDefault(at) - second.ElementAtOrDefault(at)) * Math.Pow(1000, 3 - at));

        static double[] Numbers(string version) =>
            [.. Digits().Matches(version).Take(4).Select(number => double.Parse(number.Value, CultureInfo.InvariantCulture))];
    }

    [GeneratedRegex(
        @"requirement (?<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?<version>\S+)(?: \(from [^)]*\))*? \(from versions: (?<there>[^)]*)\)")]
    private static partial Regex NoVersion();

    [GeneratedRegex(
        @"Failed to build (?:installable wheels for some pyproject\.toml based projects \()?(?<names>[A-Za-z0-9._', `-]+?)(?:\)|$| when )")]
    private static partial Regex FailedToBuild();

    [GeneratedRegex(@"ERROR: |error: subprocess-exited-with-error|metadata-generation-failed|ResolutionImpossible")]
    private static partial Regex PipFailed();

    [GeneratedRegex("Failed to establish a new connection|Max retries exceeded|name resolution|ProxyError|No space left|timed out|CERTIFICATE_")]
    private static partial Regex NobodyAnswers();

    [GeneratedRegex(
        @"pip3? install\b[^\n&|;]*(?:--upgrade|-U)\b[^\n&|;]*\bpip\b|pip3? install\b[^\n&|;]*\bpip\b[^\n&|;]*(?:--upgrade|-U)\b")]
    private static partial Regex UpgradesPip();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}

/// <summary>What a build has been given.</summary>
[Flags]
internal enum PipRemedy
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Older tools for builds from source.</summary>
    Constraint = 1,

    /// <summary>The index of another day.</summary>
    Day = 2,
}
