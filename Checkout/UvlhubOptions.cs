using System.ComponentModel.DataAnnotations;

namespace UvlhubAspire.Checkout;

/// <summary>
/// The settings of the project: ordinary .NET configuration, section <c>Uvlhub</c> (<c>--Uvlhub:Path=…</c>,
/// <c>Uvlhub__Path=…</c>, or appsettings.json), read by <see cref="SettingsReader"/>. The AppHost and a UvlhubRunner in a shell
/// read the same ones. What a setting's text must be stands beside it.
/// </summary>
/// <remarks>
/// Properties have <see langword="set"/>: the code that is generated to read them, which a program without reflection
/// needs, passes over <see langword="init"/> without a word.
/// </remarks>
public sealed class UvlhubOptions
{
    /// <summary>The configuration section's name.</summary>
    public const string Section = "Uvlhub";

    private const string EngineName = "[a-zA-Z0-9][a-zA-Z0-9_.-]*";
    private const string EngineNameWords = "a name of letters, digits, '_', '.' and '-' that begins with a letter or a digit";

    /// <summary>The checkout to run. Default: the bundled <c>samples/minihub</c>.</summary>
    public string? Path { get; set; }

    /// <summary>
    /// <c>Development</c>, <c>Testing</c>, <c>Staging</c>, <c>Production</c> or <c>Render</c>; what that means stands in
    /// <see cref="EnvironmentProfile"/>. Default: Development; Production when the model is published.
    /// </summary>
    public string? Environment { get; set; }

    /// <summary>
    /// Where the secrets of Staging and Production come from: <c>given</c> (default) takes the checkout's file and refuses
    /// placeholders, <c>generated</c> makes what the file does not give once and keeps it in the user's secrets.
    /// </summary>
    public SecretSource Secrets { get; set; }

    /// <summary>The site's name on the network, such as <c>uvlhub.example.org</c>. Default: the checkout's <c>DOMAIN</c>.</summary>
    public string? Domain { get; set; }

    /// <summary>
    /// Who reaches nginx: <c>loopback</c> (default), this machine alone; <c>network</c>, everybody. Only nginx is opened.
    /// </summary>
    public Audience OpenTo { get; set; }

    /// <summary>
    /// The version that the production image is built with (its argument <c>VERSION_TAG</c>, and its tag). Default: what
    /// <c>git describe</c> says of the checkout, else <c>latest</c>.
    /// </summary>
    public string? Version { get; set; }

    /// <summary>
    /// A name that sets this environment's containers, volumes and network apart from others on the same engine, with
    /// free ports of its own. Letters, digits, <c>_</c>, <c>.</c> and <c>-</c>, beginning with a letter or a digit.
    /// Default: none, and containers and ports are the tutorial's.
    /// </summary>
    [RegularExpression(EngineName, ErrorMessage = EngineNameWords)]
    public string? Instance { get; set; }

    /// <summary>
    /// Modules that the application shall not load, separated by commas: the tutorial's <c>.moduleignore</c> without
    /// a file in the checkout. Default: <c>webhook</c>, because it wants the engine's socket when it is imported and no
    /// container is given that; empty loads all.
    /// </summary>
    public string IgnoredModules { get; set; } = "webhook";

    /// <summary>
    /// Services, separated by commas, that are given the engine's socket where their compose file mounts it: uvlhub's
    /// webhook redeploys through it. Whoever gets into such a container is root on this machine. Default: none.
    /// </summary>
    public string? EngineSocket { get; set; }

    /// <summary>Whether a name is in a setting that is a list, such as <see cref="EngineSocket"/>.</summary>
    /// <param name="list">The setting's value.</param>
    /// <param name="name">The name.</param>
    public static bool Lists(string? list, string name) =>
        (list ?? "").Split(',', StringSplitOptions.TrimEntries).Contains(name, StringComparer.Ordinal);

    /// <summary>Where images come from: <c>auto</c> (default), <c>registry</c> or <c>debian</c>.</summary>
    [RegularExpression("(?i)auto|registry|debian", ErrorMessage = "auto, registry or debian")]
    public string Images { get; set; } = "auto";

    /// <summary>The named volume of the database. Default: <c>mariadb_data_</c> and the checkout folder's name.</summary>
    [RegularExpression(EngineName, ErrorMessage = EngineNameWords)]
    public string? DataVolume { get; set; }

    /// <summary>
    /// The checkout's development compose file, relative to the checkout. Default: the first of
    /// <c>docker/docker-compose.dev.yml</c>, <c>docker-compose.dev.yml</c>, <c>docker-compose.yml</c>, <c>compose.yaml</c>.
    /// </summary>
    public string? ComposeFile { get; set; }

    /// <summary>
    /// The checkout's file of settings, relative to it. Default: the one that <c>web</c> reads by the development compose
    /// file (its <c>env_file</c>), else <c>.env</c>; where that is missing, its example.
    /// </summary>
    public string? EnvironmentFile { get; set; }

    /// <summary>
    /// The services beside <c>web</c> and <c>db</c>, separated by commas: <c>+adminer</c> adds to those that the checkout's
    /// compose file declares, <c>-selenium-firefox</c> takes away from them, and a name that has neither makes the list the
    /// whole selection. Default: what the compose file declares, and <c>locust</c>, to be started by hand, where the
    /// checkout has a Dockerfile for it.
    /// </summary>
    public string? Services { get; set; }

    /// <summary>
    /// Compare the checkout's compose file with the model, print every difference, and start nothing. Default: off.
    /// </summary>
    public bool Check { get; set; }

    /// <summary>
    /// Compose profiles, separated by commas, whose services start with the rest. Default: none; they stand in the
    /// dashboard and start by hand.
    /// </summary>
    public string? Profiles { get; set; }

    /// <summary>
    /// Whether the site's requests, statements and log records go to the dashboard. Default: true where that runs; it takes the Python
    /// packages of OpenTelemetry, and without them the site says so once and works as before.
    /// </summary>
    public bool Telemetry { get => field && Dashboard; set; } = true;

    /// <summary>
    /// Whether the dashboard runs. Default: true; without it there is no telemetry either, and some 150 MiB less are taken: for CI and
    /// for small laptops, where <c>aspire describe</c> and <c>aspire logs</c> say the same.
    /// </summary>
    public bool Dashboard { get; set; } = true;

    /// <summary>How long the site may answer with an error before <c>./run --detach</c> gives up. Default: 15 seconds.</summary>
    [Duration]
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A file that takes what the AppHost says while it starts: <c>./run --detach</c> sets it and shows that. Default: none.
    /// </summary>
    public string? Report { get; set; }

    /// <summary>How pip is helped where a checkout's requirements do not install any more.</summary>
    public PipOptions Pip { get; set; } = new();

    /// <summary>The site's certificate.</summary>
    public CertificateOptions Certificate { get; set; } = new();

    /// <summary>How gunicorn serves the site.</summary>
    public GunicornOptions Gunicorn { get; set; } = new();

    /// <summary>What is written for other machines.</summary>
    public PublishOptions Publish { get; set; } = new();

    /// <summary>How a deployed site is updated without an AppHost.</summary>
    public UpdateOptions Updates { get; set; } = new();

    /// <summary>
    /// Whether a Python debugger can attach to the site while it is developed: debugpy, on the port
    /// <c>Uvlhub:Ports:Debugger</c> of the loopback address. Default: false, because who reaches that port can run any code.
    /// </summary>
    public bool Debug { get; set; }

    /// <summary>The database of an environment that runs none.</summary>
    public DatabaseOptions Database { get; set; } = new();

    /// <summary>
    /// Host ports by their names below <c>Uvlhub:Ports</c>, all on the loopback address; 0 is any free port. The default is
    /// what the checkout's compose file publishes, else the tutorial's port; with <see cref="Instance"/> every port that is
    /// not set is any free one. <c>Web</c>, <c>Database</c> and a few more are always there; services have their own.
    /// </summary>
    public Dictionary<string, int> Ports { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Backups of a site that is deployed.</summary>
    public BackupOptions Backups { get; set; } = new();

    /// <summary>Snapshots that the migrator takes.</summary>
    public SnapshotOptions Snapshots { get; set; } = new();

    /// <summary>How the migrator waits, and what it may do.</summary>
    public MigratorOptions Migrator { get; set; } = new();

    /// <summary>Containers that the migrator works with.</summary>
    public ContainerOptions Containers { get; set; } = new();

    /// <summary>
    /// What the builds of the checkout's own Dockerfiles are given beside them where pip fails without: the base image's name stands
    /// for one with variables of pip's. Nothing of it is done before a build has failed, or is known to fail.
    /// </summary>
    public sealed class PipOptions
    {
        /// <summary>
        /// What binds the tools that pip builds packages from source with, such as <c>setuptools&lt;81</c>; <c>none</c> for nothing.
        /// Default: <c>auto</c>, which binds setuptools where a package's build looks for what newer ones have no more.
        /// </summary>
        public string BuildConstraint { get; set; } = "auto";

        /// <summary>
        /// The day on which pip looks at its index, such as <c>2025-09-23</c>: what was uploaded later is not there. <c>none</c> for
        /// today. Default: <c>auto</c>, the day of the last commit to <c>requirements.txt</c>, where a build fails for a cause that
        /// nobody knows. Takes an index that says when its files were uploaded, as the public one does.
        /// </summary>
        [Day]
        public string Day { get; set; } = "auto";
    }

    /// <summary>The certificate of a site that is deployed.</summary>
    public sealed class CertificateOptions
    {
        /// <summary>Whom the authority writes to when a certificate is about to end. Default: nobody, and the site is
        /// served without TLS.</summary>
        [EmailAddress(ErrorMessage = "an e-mail address")]
        public string? Email { get; set; }

        /// <summary>The address of the authority's ACME directory. Default: Let's Encrypt.</summary>
        [RegularExpression(@"\s*https://\S+\s*", ErrorMessage = "the https address of an ACME directory")]
        public string? Authority { get; set; }

        /// <summary>The file with the certificate by which the authority's own server is known. Default: what everybody knows.</summary>
        public string? AuthorityFile { get; set; }
    }

    /// <summary>Where the database is, in environments that run none of their own (Render).</summary>
    public sealed class DatabaseOptions
    {
        /// <summary>The server, as containers reach it. Default: the checkout's <c>MARIADB_HOSTNAME</c>.</summary>
        public string? Host { get; set; }

        /// <summary>Its port. Default: the checkout's <c>MARIADB_PORT</c>, else 3306.</summary>
        [Range(1, 65535, ErrorMessage = "a port from 1 to 65535")]
        public int? Port { get; set; }

        /// <summary>
        /// Whom the migrator logs in as, with the password <c>MARIADB_ROOT_PASSWORD</c>: somebody who may create databases,
        /// because its journal is one. Default: <c>root</c>; without that password the application's user, whose one
        /// database then has the journal, too.
        /// </summary>
        public string? Administrator { get; set; }

        /// <summary>
        /// Whether the migrator talks to the server only over TLS and only if its certificate is for its name and from an
        /// authority that is known. Default: yes.
        /// </summary>
        public bool VerifyServer { get; set; } = true;

        /// <summary>The file with the certificate of the authority that has signed the server's. Default: those that the
        /// machine knows.</summary>
        public string? CertificateAuthority { get; set; }

        /// <summary>
        /// Whether a newer MariaDB than the one that wrote the volume opens it, which cannot be undone; the volume is copied before.
        /// Default: no, the older one goes on.
        /// </summary>
        public bool Upgrade { get; set; }
    }

    /// <summary>How a deployed stack is updated by the images of its registry, without an AppHost.</summary>
    public sealed class UpdateOptions
    {
        /// <summary>Whether <c>POST /webhook/deploy</c> with <c>WEBHOOK_TOKEN</c> deploys what the registry has then; over TLS alone.
        /// Default: no.</summary>
        public bool Webhook { get; set; }

        /// <summary>How often the registry is asked for newer images, which are deployed. Default: 0, never.</summary>
        [Duration(AllowsZero = true)]
        public TimeSpan CheckEvery { get; set; }
    }

    /// <summary>What <c>aspire publish</c> writes.</summary>
    public sealed class PublishOptions
    {
        /// <summary>The name of the compose project, the stack and the image. Default: the checkout
        /// folder's name.</summary>
        public string? Name { get; set; }

        /// <summary>What the site's images are called in front of their name, such as <c>ghcr.io/team</c>. Default:
        /// nothing; they stay on this machine.</summary>
        public string? Registry { get; set; }
    }

    /// <summary>How gunicorn serves the site in Staging and Production.</summary>
    public sealed class GunicornOptions
    {
        /// <summary>
        /// How many processes serve. Default: twice the number of cores and one, at most 9; each takes the memory of one
        /// whole application, and opens database connections of its own.
        /// </summary>
        [Range(1, int.MaxValue, ErrorMessage = "a number from 1")]
        public int? Workers { get; set; }

        /// <summary>After how long a request that is not answered ends its worker. Default: 1 hour, as uvlhub's entrypoint
        /// has it.</summary>
        [Duration(MostDays = 3650)]
        public TimeSpan Timeout { get; set; } = TimeSpan.FromHours(1);
    }

    /// <summary>Backups of a published site, rows and uploads together, that restic keeps in a repository.</summary>
    public sealed class BackupOptions
    {
        /// <summary>
        /// Where they are kept, as restic writes it: a folder of the server with the data (<c>/mnt/backups</c>) or of another machine
        /// (<c>sftp:user@host:/folder</c>), or a bucket of S3 (<c>s3:https://host/bucket</c>). It is made where it does not exist.
        /// Default: nowhere, and there are none.
        /// </summary>
        [RegularExpression(
            @"/\S*[^/\s]|(sftp|s3):\S+", ErrorMessage = "a folder of the server, such as /mnt/backups, sftp:user@host:/folder, or s3:https://host/bucket")]
        public string? Repository { get; set; }

        /// <summary>
        /// The other machine's key, where <see cref="Repository"/> is reached by SFTP: a line as <c>ssh-keyscan host</c> prints it.
        /// Default: none, and none is trusted.
        /// </summary>
        public string? KnownHosts { get; set; }

        /// <summary>How often one is made. Default: 1 day; at least a minute.</summary>
        [Duration(LeastSeconds = 60)]
        public TimeSpan Every { get; set; } = TimeSpan.FromDays(1);

        /// <summary>For how many days the last one of the day is kept; all of the last 24 hours are kept besides. Default: 7.</summary>
        [Range(1, int.MaxValue, ErrorMessage = "a number from 1")]
        public int KeepDaily { get; set; } = 7;

        /// <summary>For how many weeks the last one of the week is kept. Default: 5.</summary>
        [Range(0, int.MaxValue, ErrorMessage = "a number from 0")]
        public int KeepWeekly { get; set; } = 5;

        /// <summary>For how many months the last one of the month is kept. Default: 12.</summary>
        [Range(0, int.MaxValue, ErrorMessage = "a number from 0")]
        public int KeepMonthly { get; set; } = 12;
    }

    /// <summary>Where snapshots are kept, and how many.</summary>
    public sealed class SnapshotOptions
    {
        /// <summary>The folder of all snapshots. Default: <c>uvlhub-aspire/snapshots</c> in the user's local application data.</summary>
        public string? Path { get; set; }

        /// <summary>How many automatic snapshots of one database are kept; the oldest go first. Default: 5.</summary>
        [Range(1, int.MaxValue, ErrorMessage = "a number from 1")]
        public int Keep { get; set; } = 5;
    }

    /// <summary>How the migrator waits, and what it may do.</summary>
    public sealed class MigratorOptions
    {
        /// <summary>How long to wait for MariaDB to answer. Default: 2 minutes.</summary>
        [Duration]
        public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromMinutes(2);

        /// <summary>
        /// Whether flask runs in the runner's own container, as it does in the image that leaves the machine: the
        /// checkout's facts then come from that container's files and environment. The image sets it. Default: no.
        /// </summary>
        public bool Local { get; set; }

        /// <summary>How long to wait for the toolbox container. Default: 1 minute.</summary>
        [Duration]
        public TimeSpan ToolboxTimeout { get; set; } = TimeSpan.FromMinutes(1);

        /// <summary>How long one command of Flask or rosemary may take. Default: 30 minutes.</summary>
        [Duration]
        public TimeSpan FlaskTimeout { get; set; } = TimeSpan.FromMinutes(30);

        /// <summary>How long to wait for another migrator to finish. Default: 45 minutes.</summary>
        [Duration]
        public TimeSpan LockTimeout { get; set; } = TimeSpan.FromMinutes(45);

        /// <summary>How long a migration may take at the most, whoever waits for it.</summary>
        public TimeSpan Longest() => LockTimeout + FlaskTimeout + FlaskTimeout;

        /// <summary>
        /// Whether a checkout without a migrations folder gets one (<c>flask db init</c>, <c>flask db migrate</c>), as
        /// uvlhub's entrypoint does: this writes into the checkout. Only in development. Default: no.
        /// </summary>
        public bool InitializeMigrations { get; set; }

        /// <summary>Whether revisions run on a copy of the database first. Default: <see cref="RehearsalPolicy.Auto"/>.</summary>
        public RehearsalPolicy Rehearse { get; set; }
    }

    /// <summary>Names of containers on the engine; the AppHost sets them.</summary>
    public sealed class ContainerOptions
    {
        /// <summary>The container of MariaDB. Default: <c>mariadb_container</c>, with the instance's prefix.</summary>
        public string? Database { get; set; }

        /// <summary>The container in which Flask runs. Default: <c>rosemary_container</c>, with the instance's prefix.</summary>
        public string? Toolbox { get; set; }
    }
}

/// <summary>When revisions run on a copy of the database before they run on the database.</summary>
public enum RehearsalPolicy
{
    /// <summary>In Production; in development where they do more than add to the schema.</summary>
    Auto,

    /// <summary>Whenever there is something to run on a database with tables.</summary>
    Always,

    /// <summary>Not at all: where there is no room for a copy, or no right to make one.</summary>
    Never,
}

/// <summary>Where an environment's secrets come from.</summary>
public enum SecretSource
{
    /// <summary>The checkout's file gives every one; what is missing or a placeholder is refused.</summary>
    Given,

    /// <summary>What the file does not give is generated once and kept in the user's secrets.</summary>
    Generated,
}

/// <summary>Who reaches nginx.</summary>
public enum Audience
{
    /// <summary>Programs of this machine.</summary>
    Loopback,

    /// <summary>Other machines as well.</summary>
    Network,
}
