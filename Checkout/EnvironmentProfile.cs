namespace UvlhubAspire.Checkout;

/// <summary>How the site's code comes into its container.</summary>
public enum CodeSource
{
    /// <summary>The checkout is mounted: an edit shows at once.</summary>
    Mounted,

    /// <summary>The checkout's production Dockerfile copies it into the image.</summary>
    InImage,
}

/// <summary>What serves the site.</summary>
public enum WebServer
{
    /// <summary><c>flask run</c> with reload and debugger.</summary>
    FlaskWithReload,

    /// <summary><c>flask run</c> alone: nothing restarts under a test's feet.</summary>
    Flask,

    /// <summary><c>gunicorn</c> with several workers.</summary>
    Gunicorn,
}

/// <summary>
/// What differs between the environments, all of it, in one table: AppHost.cs is the same for each. Staging is Production
/// with other files of credentials and other names.
/// </summary>
public sealed record EnvironmentProfile
{
    /// <summary>The setting's full name.</summary>
    public const string Setting = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Environment)}";

    /// <summary>The environment's name.</summary>
    public required string Name { get; init; }

    /// <summary>The tutorial's environment: edit and reload, with the keys of <c>.env.docker.example</c> if need be.</summary>
    public static EnvironmentProfile Development { get; } = new()
    {
        Name = nameof(Development),
        EnvironmentFiles = [".env", ".env.docker", ".env.docker.example"],
        Code = CodeSource.Mounted,
        Server = WebServer.FlaskWithReload,
    };

    /// <summary>For CI and browser tests: as Development, but nothing reloads, and the data is in memory: each start begins
    /// empty and is seeded.</summary>
    public static EnvironmentProfile Testing { get; } = Development with
    {
        Name = nameof(Testing),
        NamePrefix = "testing_",
        Server = WebServer.Flask,
        KeepsData = false,
    };

    /// <summary>What users see: <c>docker-compose.prod.yml</c> with what it leaves to chance.</summary>
    public static EnvironmentProfile Production { get; } = new()
    {
        Name = nameof(Production),
        EnvironmentFiles = [".env.production", ".env", ".env.docker.production.example"],
        SecretPrefix = "production-",
        VolumeSuffix = "_production",
        Code = CodeSource.InImage,
        Server = WebServer.Gunicorn,
        FlaskEnvironment = "production",
        RequiresSecrets = true,
        HasTestDatabase = false,
        OpensDatabaseToHost = false,
        ComposeFile = "docker-compose.prod.yml",
        NginxConfiguration = "nginx.prod.conf",
    };

    /// <summary>Production's rehearsal.</summary>
    public static EnvironmentProfile Staging { get; } = Production with
    {
        Name = nameof(Staging),
        EnvironmentFiles = [".env.staging", .. Production.EnvironmentFiles.Skip(1)],
        NamePrefix = "staging_",
        SecretPrefix = "staging-",
        VolumeSuffix = "_staging",
    };

    /// <summary>
    /// One container on port 80 with the database elsewhere: what <c>Dockerfile.render</c> is for. Its entrypoint migrates by
    /// itself, and stamps over what it does not know; here the migrator comes first, as everywhere.
    /// </summary>
    public static EnvironmentProfile Render { get; } = Production with
    {
        Name = nameof(Render),
        EnvironmentFiles = [".env.render", .. Production.EnvironmentFiles.Skip(1)],
        NamePrefix = "render_",
        SecretPrefix = "render-",
        VolumeSuffix = "_render",
        ImageSuffix = "-render",
        ImageDockerfile = "Dockerfile.render",
        SitePort = 80,
        HasDatabase = false,
        HasServices = false,
    };

    /// <summary>All of them, in the order in which a change travels.</summary>
    public static IReadOnlyList<EnvironmentProfile> All { get; } = [Development, Testing, Staging, Production, Render];

    /// <summary>The checkout's files of settings, relative to it; the first that exists counts, the last is the template.</summary>
    public required IReadOnlyList<string> EnvironmentFiles { get; init; }

    /// <summary>Who named the first of <see cref="EnvironmentFiles"/>, for messages; <see langword="null"/> if nobody did.</summary>
    public string? EnvironmentFileNamedBy { get; init; }

    /// <summary>What containers' names begin with, so that two environments of one machine have none in common.</summary>
    public string NamePrefix { get; init; } = "";

    /// <summary>What the names of volumes end with: no environment ever opens another's data.</summary>
    public string VolumeSuffix { get; init; } = "";

    /// <summary>What the names of generated secrets begin with: no environment knows another's.</summary>
    public string SecretPrefix { get; init; } = "";

    /// <summary>How the code comes into the container.</summary>
    public required CodeSource Code { get; init; }

    /// <summary>The name of the checkout's Dockerfile that copies the code into the image, where that is its place.</summary>
    public string ImageDockerfile { get; init; } = "Dockerfile.prod";

    /// <summary>What the name of that image ends with: two Dockerfiles make two images.</summary>
    public string ImageSuffix { get; init; } = "";

    /// <summary>What serves the site.</summary>
    public required WebServer Server { get; init; }

    /// <summary>The site's port inside its container.</summary>
    public int SitePort { get; init; } = 5000;

    /// <summary>The <c>FLASK_ENV</c> that the site must have; <see langword="null"/> leaves it to the checkout.</summary>
    public string? FlaskEnvironment { get; init; }

    /// <summary>Whether passwords must be given, and placeholders and the examples' passwords are refused.</summary>
    public bool RequiresSecrets { get; init; }

    /// <summary>Whether MariaDB runs here; where it does not, it is a server elsewhere, and somebody else's.</summary>
    public bool HasDatabase { get; init; } = true;

    /// <summary>
    /// Whether there is more than the site: nginx, and whatever the compose file declares. Where there is not, the site's own
    /// port is the one that people open, and the toolbox starts by hand.
    /// </summary>
    public bool HasServices { get; init; } = true;

    /// <summary>Whether the database outlives the run.</summary>
    public bool KeepsData { get; init; } = true;

    /// <summary>Whether there is a database for pytest.</summary>
    public bool HasTestDatabase { get; init; } = true;

    /// <summary>
    /// Whether MariaDB has a port on the host. Where it has none, the migrator runs in a container beside it.
    /// </summary>
    public bool OpensDatabaseToHost { get; init; } = true;

    /// <summary>
    /// The name of the checkout's compose file that says which services there are; <see langword="null"/> means its
    /// development file, whatever that is called.
    /// </summary>
    public string? ComposeFile { get; init; }

    /// <summary>nginx's configuration in the checkout's <c>docker/nginx</c>, if its compose file does not say.</summary>
    public string NginxConfiguration { get; init; } = "nginx.dev.conf";

    /// <summary>The same with settings from one file alone, or its example.</summary>
    /// <param name="file">The file, relative to the checkout; empty changes nothing.</param>
    /// <param name="namedBy">Where it is named. Default: the setting <see cref="UvlhubOptions.EnvironmentFile"/>.</param>
    public EnvironmentProfile Reading(string? file, string namedBy = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.EnvironmentFile)}") =>
        string.IsNullOrWhiteSpace(file)
            ? this
            : this with { EnvironmentFiles = [file, $"{file}.example"], EnvironmentFileNamedBy = namedBy };

    /// <summary>The same with settings from the file that a compose file names: before the others if it is one of them,
    /// else from it alone.</summary>
    /// <param name="file">The file, relative to the checkout.</param>
    /// <param name="namedBy">Where it is named.</param>
    public EnvironmentProfile Preferring(string file, string namedBy) => EnvironmentFiles.Contains(file)
        ? this with { EnvironmentFiles = [file, .. EnvironmentFiles.Where(other => other != file)] }
        : Reading(file, namedBy);

    /// <summary>The profile of a name.</summary>
    /// <param name="name">The setting's value; empty means <paramref name="otherwise"/>.</param>
    /// <param name="otherwise">The environment when none is named.</param>
    /// <exception cref="UserErrorException">There is no such environment.</exception>
    public static EnvironmentProfile Of(string? name, EnvironmentProfile otherwise) =>
        string.IsNullOrWhiteSpace(name) ? otherwise
            : All.FirstOrDefault(profile => profile.Name.Equals(name.Trim(), StringComparison.OrdinalIgnoreCase))
            ?? throw new UserErrorException($"{Setting} is '{name}'; it can be {string.Join(", ", All.Select(profile => profile.Name))}");
}
