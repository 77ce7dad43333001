using System.Text.RegularExpressions;

namespace UvlhubAspire.Checkout;

/// <summary>
/// What the model needs to know of a uvlhub checkout, read once and never written to. Editions differ in all of this
/// (<c>/app</c> or <c>/workspace</c>, eleven or twenty-five environment keys, how they seed), so nothing of it is a
/// constant elsewhere.
/// </summary>
public sealed partial record UvlhubCheckout
{
    /// <summary>The checkout's folder, absolute, without a trailing separator.</summary>
    public required string Path { get; init; }

    /// <summary>The folder's own name: what one clone is told apart from the next by.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>The file that <see cref="Environment"/> comes from.</summary>
    public required DotEnvFile EnvironmentFile { get; init; }

    /// <summary>Every key of the checkout's <c>.env</c>, also those that the model does not know.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The Dockerfile of the development image; <see langword="null"/> if the checkout has none.</summary>
    public Dockerfile? DevelopmentDockerfile { get; init; }

    /// <summary>The Dockerfile of the image with the code in it; <see langword="null"/> if the checkout has none for this
    /// environment.</summary>
    public Dockerfile? ImageDockerfile { get; init; }

    /// <summary>The Dockerfile of the image that runs in this environment.</summary>
    public Dockerfile SiteDockerfile => Profile.Code == CodeSource.InImage ? ImageDockerfile! : DevelopmentDockerfile!;

    /// <summary>The environment that the checkout was read for.</summary>
    public required EnvironmentProfile Profile { get; init; }

    /// <summary>Where the code lives inside the container, without a trailing slash (<c>/app</c>, <c>/workspace</c>).</summary>
    public required string WorkingDirectory { get; init; }

    /// <summary>The folder with the Alembic revisions, relative to the checkout (<c>migrations/versions</c>); it need not exist.</summary>
    public string RevisionsDirectory => System.IO.Path.Combine(Path, "migrations", "versions");

    /// <summary>The folder of the application's modules, relative to the checkout, with <c>/</c>: <c>app/modules</c>, or
    /// <c>app/features</c> in later editions.</summary>
    public string ModulesDirectory =>
        s_moduleFolders.FirstOrDefault(folder => Directory.Exists(System.IO.Path.Combine(Path, folder))) ?? s_moduleFolders[0];

    /// <summary>
    /// How the checkout seeds an empty database, as a command and its arguments, read from its entrypoint and migration
    /// scripts; empty if it never seeds.
    /// </summary>
    public required IReadOnlyList<string> SeedCommand { get; init; }

    /// <summary>
    /// What the same script runs beside the seeder on a new database, as a shell and its arguments; empty if nothing.
    /// </summary>
    public IReadOnlyList<string> SeedingSteps =>
    [
        .. s_seedingScripts.Select(script => System.IO.Path.Combine(Path, script)).Where(File.Exists)
            .Select(script => StartScript.SeedingOf(this, script)).FirstOrDefault(steps => steps.Count > 0) ?? [],
    ];

    /// <summary>What gunicorn serves, as module and variable, read from the checkout's entrypoint. Default: <c>app:app</c>.</summary>
    public string WsgiApplication { get; init; } = UvlhubsWsgiApplication;

    /// <summary>Where the application keeps uploaded files inside the container. Default: <c>uploads</c> in its working
    /// directory.</summary>
    public string UploadsFolder => Value("UPLOADS_DIR") is not { } folder ? $"{WorkingDirectory}/uploads"
        : folder.StartsWith('/') ? folder : $"{WorkingDirectory}/{folder}";

    /// <summary>The application's database. Default: <c>uvlhubdb</c>.</summary>
    public string Database => Value("MARIADB_DATABASE") ?? "uvlhubdb";

    /// <summary>The database that pytest uses. Default: the application's database with <c>_test</c> appended.</summary>
    public string TestDatabase => Value("MARIADB_TEST_DATABASE") ?? $"{Database}_test";

    /// <summary>The application's database user. Default: <c>uvlhubdb_user</c>.</summary>
    public string DatabaseUser => Value("MARIADB_USER") ?? "uvlhubdb_user";

    /// <summary>The application user's password; <see langword="null"/> if the checkout names none.</summary>
    public string? DatabasePassword => Value("MARIADB_PASSWORD");

    /// <summary>The password of MariaDB's <c>root</c>; <see langword="null"/> if the checkout names none.</summary>
    public string? RootPassword => Value("MARIADB_ROOT_PASSWORD");

    /// <summary>
    /// Whether the database's server, which is elsewhere, gives one user one database and nothing else: no password of an
    /// administrator's is given.
    /// </summary>
    public bool HasOneAccount => !Profile.HasDatabase && RootPassword is null;

    private static readonly string[] s_moduleFolders = ["app/modules", "app/features"];

    private static readonly string[] s_developmentDockerfiles =
        ["docker/images/Dockerfile.dev", "docker/images/Dockerfile", "Dockerfile.dev", "Dockerfile"];

    private static readonly string[] s_seedingScripts =
        ["docker/entrypoints/development_entrypoint.sh", "scripts/apply_migrations.sh"];

    private const string UvlhubsWsgiApplication = "app:app";

    private static readonly string[] s_servingScripts =
        ["docker/entrypoints/production_entrypoint.sh", "docker/entrypoints/render_entrypoint.sh"];

    /// <summary>Reads a checkout.</summary>
    /// <param name="path">Its folder; a relative path is taken from the current folder.</param>
    /// <param name="profile">The environment that it shall run in. Default: Development.</param>
    /// <exception cref="UserErrorException">The folder is no uvlhub checkout, or one of its files is malformed.</exception>
    public static UvlhubCheckout Read(string path, EnvironmentProfile? profile = null)
    {
        profile ??= EnvironmentProfile.Development;
        var folder = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (!Directory.Exists(folder))
        {
            throw new UserErrorException(
                $"there is no folder {folder}; Uvlhub:Path (or the argument of ./run) must name a uvlhub checkout");
        }

        string? FirstExisting(IEnumerable<string> candidates) =>
            candidates.Select(candidate => System.IO.Path.Combine(folder, candidate)).FirstOrDefault(File.Exists);

        var environmentPath = FirstExisting(profile.EnvironmentFiles);
        var dockerfilePath = FirstExisting(s_developmentDockerfiles);
        var imagePath = FirstExisting([$"docker/images/{profile.ImageDockerfile}", profile.ImageDockerfile]);
        var inImage = profile.Code == CodeSource.InImage;

        List<string> missing = [];
        if (!File.Exists(System.IO.Path.Combine(folder, "app", "__init__.py")))
        {
            missing.Add("app/__init__.py (the Flask application)");
        }

        if (environmentPath is null)
        {
            missing.Add($"{profile.EnvironmentFiles[0]} or {profile.EnvironmentFiles[^1]} (its settings)");
        }

        if (inImage ? imagePath is null : dockerfilePath is null)
        {
            missing.Add(inImage
                ? $"docker/images/{profile.ImageDockerfile} (its image for {profile.Name})"
                : "docker/images/Dockerfile.dev or docker/images/Dockerfile (its image)");
        }

        if (environmentPath is null && missing.Count == 1 && profile.EnvironmentFileNamedBy is { } namedBy)
        {
            throw new UserErrorException(
                $"{namedBy}: there is no file {System.IO.Path.GetFullPath(profile.EnvironmentFiles[0], folder)}, nor its .example; make "
                + $"it, or name another with {UvlhubOptions.Section}:{nameof(UvlhubOptions.EnvironmentFile)}");
        }

        if (missing.Count > 0)
        {
            throw new UserErrorException(
                $"{folder} is no uvlhub checkout: it lacks {string.Join("; ", missing)}. Give the folder that 'git clone' made, the one "
                + "with app/ and docker/ in it.");
        }

        var environment = DotEnvFile.Read(environmentPath!);
        var development = dockerfilePath is null ? null : Dockerfile.Read(dockerfilePath);
        var image = imagePath is null ? null : Dockerfile.Read(imagePath);
        var workingDirectory = (inImage ? image : development)!.WorkingDirectory ?? "/app";

        return new UvlhubCheckout
        {
            Path = folder,
            EnvironmentFile = environment,
            Environment = SecretKeys.WithoutWorkflows(environment.Values),
            DevelopmentDockerfile = development,
            ImageDockerfile = image,
            Profile = profile,
            WorkingDirectory = workingDirectory.Length > 1 ? workingDirectory.TrimEnd('/') : workingDirectory,
            SeedCommand = ReadSeedCommand(folder),
            WsgiApplication = ReadWsgiApplication(folder),
        };
    }

    /// <summary>The checkout inside an image that was built from one: no <c>.env</c> and no Dockerfiles, but the
    /// container's environment.</summary>
    /// <param name="workingDirectory">The folder of the code.</param>
    /// <param name="environment">The container's environment.</param>
    /// <param name="profile">The environment.</param>
    /// <exception cref="UserErrorException">The folder holds no application.</exception>
    public static UvlhubCheckout Inside(
        string workingDirectory, IReadOnlyDictionary<string, string> environment, EnvironmentProfile profile)
    {
        var folder = workingDirectory.Length > 1 ? workingDirectory.TrimEnd('/') : workingDirectory;
        return File.Exists(System.IO.Path.Combine(folder, "app", "__init__.py"))
            ? new UvlhubCheckout
            {
                Path = folder,
                WorkingDirectory = folder,
                EnvironmentFile = DotEnvFile.Parse("", "the container's environment"),
                Environment = environment,
                Profile = profile,
                SeedCommand = ReadSeedCommand(folder),
            }
            : throw new UserErrorException(
                $"there is no app/__init__.py in {folder}: WORKING_DIR must name the folder of the application in the image");
    }

    /// <summary>
    /// Whether a file that a compose file names is what <see cref="Environment"/> was read from, or was not there and was
    /// replaced by it. Where secrets are required one file has them, whichever the compose file names.
    /// </summary>
    /// <param name="path">The file's absolute path.</param>
    public bool IsEnvironmentFile(string path) => path == EnvironmentFile.Path
        || (
            (Profile.RequiresSecrets || !File.Exists(path))
            && Profile.EnvironmentFiles.Any(file => System.IO.Path.GetFullPath(file, Path) == path));

    /// <summary>The names of the application's modules as they are now, in order.</summary>
    public IReadOnlyList<string> ReadModules()
    {
        var folder = new DirectoryInfo(System.IO.Path.Combine(Path, ModulesDirectory));
        return folder.Exists
            ? [.. folder.EnumerateDirectories().Where(module => File.Exists(System.IO.Path.Combine(module.FullName, "__init__.py"))).Select(module => module.Name).Order(StringComparer.Ordinal)]
            : [];
    }

    private string? Value(string key) => Environment.TryGetValue(key, out var value) && value.Length > 0 ? value : null;

    private static string[] ReadSeedCommand(string folder) =>
    [
        .. s_seedingScripts
            .Select(script => System.IO.Path.Combine(folder, script))
            .Where(File.Exists)
            .SelectMany(File.ReadLines)
            .Select(line => line.Trim())
            .FirstOrDefault(line => !line.StartsWith('#') && line.Contains(" db:seed", StringComparison.Ordinal))
            // Words only: what follows an operator of the shell is not part of the command.
            ?.Split((char[])['|', '&', ';', '>'], 2)[0]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [],
    ];

    private static string ReadWsgiApplication(string folder) => s_servingScripts
        .Select(script => System.IO.Path.Combine(folder, script))
        .Where(File.Exists)
        // A command may go on in the next line.
        .SelectMany(script => File.ReadAllText(script).ReplaceLineEndings("\n").Replace("\\\n", " ", StringComparison.Ordinal).Split('\n'))
        .Where(line => !line.TrimStart().StartsWith('#'))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(words => words.SkipWhile(word => word != "gunicorn").FirstOrDefault(word => WsgiName().IsMatch(word)))
        .FirstOrDefault(application => application is not null) ?? UvlhubsWsgiApplication;

    [GeneratedRegex(@"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    private static partial Regex WsgiName();
}
