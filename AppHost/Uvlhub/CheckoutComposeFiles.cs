using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>Which of a checkout's files are compose files, and which of them stands for development.</summary>
/// <param name="Development">The development file; <see langword="null"/> if there is none.</param>
/// <param name="Override">The file that compose by itself puts on top of <paramref name="Development"/>.</param>
/// <param name="Others">The remaining ones: production and its varieties.</param>
internal sealed partial record CheckoutComposeFiles(string? Development, string? Override, IReadOnlyList<string> Others)
{
    private static readonly string[] s_folders = ["docker", ""];

    /// <summary>Looks into the checkout's top folder and its <c>docker</c> folder.</summary>
    /// <param name="checkout">The checkout's folder.</param>
    /// <param name="setting">
    /// The development file if the user names it (<see cref="UvlhubOptions.ComposeFile"/>), relative to the checkout.
    /// </param>
    /// <param name="profile">The environment, whose file counts as the development file. Default: Development.</param>
    /// <param name="processor">The machine's processor. Default: this one's.</param>
    /// <exception cref="UserErrorException">The file that the user names does not exist.</exception>
    public static CheckoutComposeFiles Find(
        string checkout, string? setting = null, EnvironmentProfile? profile = null, Architecture? processor = null)
    {
        var machine = processor ?? RuntimeInformation.OSArchitecture;
        var files = s_folders
            .Select(folder => folder.Length == 0 ? checkout : Path.Combine(checkout, folder))
            .Where(Directory.Exists)
            .SelectMany(
                folder => Directory.EnumerateFiles(folder).Where(file => ComposeName().IsMatch(Path.GetFileName(file)))
                .Order(StringComparer.Ordinal))
            .ToList();

        string? development;
        if (string.IsNullOrWhiteSpace(setting) && profile is { ComposeFile: { } named })
        {
            development = files.FirstOrDefault(file => Path.GetFileName(file) == named);
            return new CheckoutComposeFiles(development, null, [.. files.Where(file => file != development)]);
        }

        if (string.IsNullOrWhiteSpace(setting))
        {
            // Files that say so first, and before their varieties; of those that compose takes by itself, the one beside the
            // code. One for a processor is for machines that have it.
            development = files
                .Select(file => (Path: file, Name: DevelopmentName().Match(Path.GetFileName(file)), Processor: ProcessorOf(file)))
                .Where(file => file.Name.Success && (file.Processor is null || file.Processor == machine))
                .OrderBy(file => file.Processor is not null ? 0 : file.Name.Groups["variety"].Length == 0 ? 1 : 2)
                .FirstOrDefault().Path
                ?? files.Where(file => DefaultName().IsMatch(Path.GetFileName(file)))
                    .OrderBy(file => Path.GetDirectoryName(file) == checkout ? 0 : 1).FirstOrDefault();
        }
        else
        {
            development = Path.GetFullPath(setting, checkout);
            if (!File.Exists(development))
            {
                throw new UserErrorException(
                    $"there is no file {development}; {UvlhubOptions.Section}:{nameof(UvlhubOptions.ComposeFile)} must name a compose "
                    + "file of the checkout");
            }
        }

        var overrides = development is not null && DefaultName().IsMatch(Path.GetFileName(development))
            ? files.FirstOrDefault(
                file => Path.GetDirectoryName(file) == Path.GetDirectoryName(development) && OverrideName().IsMatch(Path.GetFileName(file)))
            : null;
        return new CheckoutComposeFiles(
            development, overrides,
            [.. files.Where(file => file != development && file != overrides && !OverrideName().IsMatch(Path.GetFileName(file)))]);
    }

    /// <summary>Reads the development file; <see langword="null"/> if there is none.</summary>
    /// <param name="checkout">The checkout, whose settings are the variables of the file, as far as the shell does not set them.</param>
    /// <exception cref="UserErrorException">The file is malformed.</exception>
    public ComposeFile? ReadDevelopment(UvlhubCheckout checkout) =>
        Development is null ? null : ComposeFile.Read(Development, name => Variable(name, checkout), Override);

    /// <summary>
    /// The file with the settings of the site, by the <c>env_file</c> of the development file's <c>web</c>: <c>.env</c> if
    /// it is among several, else the first; <see langword="null"/> if none is named.
    /// </summary>
    /// <exception cref="UserErrorException">The file is malformed.</exception>
    public ComposeEnvironmentFile? ReadSettingsFile(string checkout)
    {
        // What is read from that file cannot say which file it is.
        var site = Development is null ? null : ComposeFile.Read(Development, Environment.GetEnvironmentVariable, Override).Service("web");
        List<ComposeEnvironmentFile> files = [.. (site?.EnvironmentFiles ?? []).Where(env => env.IsRequired || File.Exists(env.Path))];
        return files.FirstOrDefault(env => env.Path == Path.Combine(checkout, ".env")) ?? files.FirstOrDefault();
    }

    private static string? Variable(string name, UvlhubCheckout checkout) =>
        Environment.GetEnvironmentVariable(name) ?? checkout.Environment.GetValueOrDefault(name);

    [GeneratedRegex(@"^(docker-)?compose[\w.-]*\.ya?ml$")]
    private static partial Regex ComposeName();

    private static Architecture? ProcessorOf(string file) => ProcessorName().Match(Path.GetFileName(file)) is not { Success: true } named ? null
        : named.Groups["arm32"].Success ? Architecture.Arm
        : named.Groups["arm"].Success ? Architecture.Arm64
        : Architecture.X64;

    [GeneratedRegex(@"[._-](development|dev|local)(?<variety>([._-][\w.-]*)?)\.ya?ml$")]
    private static partial Regex DevelopmentName();

    [GeneratedRegex(@"[._-]((?<arm32>armhf|armv7)|(?<arm>arm(64)?|aarch64|apple|silicon|m[1-5])|amd64|x86([_-]?64)?|x64|intel)[._-]", RegexOptions.IgnoreCase)]
    private static partial Regex ProcessorName();

    [GeneratedRegex(@"^(docker-)?compose\.ya?ml$")]
    private static partial Regex DefaultName();

    [GeneratedRegex(@"^(docker-)?compose\.override\.ya?ml$")]
    private static partial Regex OverrideName();
}
