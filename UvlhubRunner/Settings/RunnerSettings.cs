using Microsoft.Extensions.Configuration;

namespace UvlhubAspire.Runner.Settings;

/// <summary>
/// Everything the runner knows about where it works, resolved once: the same settings as the AppHost's, whether the
/// AppHost passes them on or a person starts the runner in a shell.
/// </summary>
internal sealed record RunnerSettings
{
    private const uint DefaultPort = 3306;

    /// <summary>The checkout whose revisions count.</summary>
    public required UvlhubCheckout Checkout { get; init; }

    /// <summary>The settings of section <c>Uvlhub</c>.</summary>
    public required UvlhubOptions Options { get; init; }

    /// <summary>The server as <c>root</c>, without a database.</summary>
    public required MySqlConnectionStringBuilder Root { get; init; }

    /// <summary>The application's database as the application's user.</summary>
    public required MySqlConnectionStringBuilder Application { get; init; }

    /// <summary>The container engine.</summary>
    public required ContainerEngine Engine { get; init; }

    /// <summary>The container of MariaDB; <see langword="null"/> if MariaDB's programs run on this machine.</summary>
    public required string? DatabaseContainer { get; init; }

    /// <summary>The container in which <c>flask</c> and <c>rosemary</c> run; <see langword="null"/> if they run on this machine.</summary>
    public required string? ToolboxContainer { get; init; }

    /// <summary>
    /// Whether the server gives one user one database and nothing else: the migrator logs in as the application's user, and
    /// what it keeps is in that database.
    /// </summary>
    public bool HasOneAccount { get; init; }

    /// <summary>Whether the runner was started by hand and found its settings itself.</summary>
    public required bool IsShell { get; init; }

    /// <summary>The application's database.</summary>
    public string Database => Application.Database;

    /// <summary>The databases that the application's user needs: its own, and in environments that run pytest the one for tests.</summary>
    public IEnumerable<string> Databases => Checkout.Profile.HasTestDatabase ? [Database, Checkout.TestDatabase] : [Database];

    /// <summary>
    /// Whether this is a development environment: one that is seeded, and in which migrations may be initialised. The
    /// checkout's <c>FLASK_ENV</c> decides. Default: yes.
    /// </summary>
    public bool IsDevelopment => !string.Equals(
        Checkout.Environment.GetValueOrDefault("FLASK_ENV"), "production", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Where the snapshots of this checkout's database lie: a folder per checkout, instance and environment, because nearly all of
    /// them call their database the same.
    /// </summary>
    public string SnapshotFolder
    {
        get
        {
            var folder = Options.Snapshots.Path is { Length: > 0 } path ? Path.GetFullPath(path) : UserFolder.Of("snapshots");
            var identity = Names.Digest($"{Checkout.Path}\n{Options.Instance}\n{Checkout.Profile.Name}", 8);
            return Path.Combine(folder, $"{Checkout.Name}-{identity}");
        }
    }

    /// <summary>Where MariaDB is, for messages.</summary>
    public string Address => $"{Root.Server}:{Root.Port}";

    /// <summary>Reads the settings.</summary>
    /// <exception cref="UserErrorException">The checkout or a setting is wrong.</exception>
    public static async Task<RunnerSettings> ReadAsync(IConfiguration configuration, CancellationToken cancellationToken)
    {
        var options = SettingsReader.Read(configuration);
        var engine = ContainerEngine.FromConfiguration(configuration);
        if (options.Migrator.Local)
        {
            return ReadInside(options, engine);
        }

        var profile = EnvironmentProfile.Of(options.Environment, EnvironmentProfile.Development).Reading(options.EnvironmentFile);
        var checkout = UvlhubCheckout.Read(
            string.IsNullOrWhiteSpace(options.Path) ? RepositoryFolder.BundledSample : options.Path, profile);
        var names = new InstanceNames(options.Instance, profile);
        var databaseContainer = options.Containers.Database ?? names.DatabaseContainer;
        var toolbox = options.Containers.Toolbox ?? names.ToolboxContainer;
        var root = configuration.GetConnectionString(SharedNames.Server);
        var application = configuration.GetConnectionString(SharedNames.Database);
        var hasOneAccount = root is not null && root == application;
        var port = root is null || application is null
            ? await PortAsync(options, engine, databaseContainer, toolbox, cancellationToken)
            : 0;

        return new RunnerSettings
        {
            Checkout = checkout,
            Options = options,
            HasOneAccount = hasOneAccount,
            Root = hasOneAccount
                ? WithoutDatabase(Connection(SharedNames.Database, root!))
                : Connection(SharedNames.Server, root ?? FromCheckout(
                    port, "root", checkout.RootPassword ?? Parameter(SharedNames.RootPassword), database: null)),
            Application = Connection(SharedNames.Database, application ?? FromCheckout(
                port, checkout.DatabaseUser, checkout.DatabasePassword ?? Parameter(SharedNames.UserPassword), checkout.Database)),
            Engine = engine,
            DatabaseContainer = databaseContainer,
            ToolboxContainer = toolbox,
            IsShell = root is null,
        };

        // The AppHost gives passwords apart from the connection strings, which can be seen in its dashboard.
        MySqlConnectionStringBuilder Connection(string resource, string value) =>
            ReadConnection($"ConnectionStrings:{resource}", value, configuration[$"{resource.ToUpperInvariant()}_PASSWORD"]);

        string? Parameter(string name) => configuration[$"Parameters:{name}"];
    }

    // In the image there is no engine, and the environment is the application's own.
    private static RunnerSettings ReadInside(UvlhubOptions options, ContainerEngine engine)
    {
        var environment = System.Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
        var checkout = UvlhubCheckout.Inside(
            environment.GetValueOrDefault("WORKING_DIR") is { Length: > 0 } folder ? folder : System.Environment.CurrentDirectory,
            environment,
            EnvironmentProfile.Of(options.Environment, EnvironmentProfile.Production));

        return new RunnerSettings
        {
            Checkout = checkout,
            Options = options,
            HasOneAccount = checkout.HasOneAccount,
            Root = Verified(ReadConnection("MARIADB_HOSTNAME", checkout.HasOneAccount
                ? Connection(checkout.DatabaseUser, SecretKeys.UserPassword, database: null)
                : Connection(
                    options.Database.Administrator is { Length: > 0 } administrator
                        ? administrator
                        : "root", SecretKeys.RootPassword, database: null))),
            Application = Verified(
                ReadConnection("MARIADB_HOSTNAME", Connection(checkout.DatabaseUser, SecretKeys.UserPassword, checkout.Database))),
            Engine = engine,
            DatabaseContainer = null,
            ToolboxContainer = null,
            IsShell = false,
        };

        // What is reached over other people's networks has to prove who it is.
        MySqlConnectionStringBuilder Verified(MySqlConnectionStringBuilder connection)
        {
            if (!checkout.Profile.HasDatabase && options.Database.VerifyServer)
            {
                connection.SslMode = MySqlSslMode.VerifyFull;
                connection.SslCa = options.Database.CertificateAuthority ?? "";
            }

            return connection;
        }

        string Connection(string user, string password, string? database) => new MySqlConnectionStringBuilder
        {
            Server = environment.GetValueOrDefault("MARIADB_HOSTNAME", SharedNames.Server),
            Port = uint.TryParse(environment.GetValueOrDefault("MARIADB_PORT"), out var port) ? port : DefaultPort,
            UserID = user,
            Password = environment.GetValueOrDefault(password) is { Length: > 0 } given
                ? given
                : throw new UserErrorException($"{password} is not set in this container; the migrator needs it"),
            Database = database ?? "",
        }.ConnectionString;
    }

    private static async Task<uint> PortAsync(
        UvlhubOptions options, ContainerEngine engine, string container, string toolbox, CancellationToken cancellationToken)
    {
        var profile = EnvironmentProfile.Of(options.Environment, EnvironmentProfile.Development);
        if (!profile.HasDatabase)
        {
            throw new UserErrorException(
                $"in {profile.Name} the database is elsewhere, and what reaches it is in the image. Start 'rosemary' ('dotnet aspire "
                + "resource rosemary start'), "
                + $"then run the same inside: '{engine.Executable} exec {toolbox} UvlhubRunner status'.");
        }

        if (!profile.OpensDatabaseToHost)
        {
            throw new UserErrorException(
                $"in {options.Environment} MariaDB has no port on the host. Run the same inside: '{engine.Executable} exec {toolbox} "
                + "UvlhubRunner status'.");
        }

        var isSet = options.Ports.TryGetValue(SharedNames.DatabasePort, out var set);
        if (set > 0)
        {
            return (uint)set;
        }

        if (!isSet && string.IsNullOrEmpty(options.Instance))
        {
            return DefaultPort;
        }

        // The port was any free one: the engine knows which.
        var mapped = await engine.RunAsync(TimeSpan.FromSeconds(20), cancellationToken, "port", container, $"{DefaultPort}/tcp");
        var port = mapped.Output.Split('\n').Select(line => line[(line.LastIndexOf(':') + 1)..]).FirstOrDefault();
        return uint.TryParse(port, out var number)
            ? number
            : throw new UserErrorException(
                $"cannot tell the port of {container}: {(mapped.Succeeded ? "it publishes none" : mapped.Error)}. Start it with './run', "
                + "or set Uvlhub:Ports:Database.");
    }

    // As anywhere else: who works on the database and who only looks after it are told apart by that.
    private static MySqlConnectionStringBuilder WithoutDatabase(MySqlConnectionStringBuilder connection) =>
        new(connection.ConnectionString) { Database = "" };

    private static string FromCheckout(uint port, string user, string? password, string? database) => new MySqlConnectionStringBuilder
    {
        Server = "127.0.0.1",
        Port = port,
        UserID = user,
        Password = password ?? "",
        Database = database ?? "",
    }.ConnectionString;

    private static MySqlConnectionStringBuilder ReadConnection(string setting, string value, string? password = null)
    {
        try
        {
            var connection = new MySqlConnectionStringBuilder(value)
            {
                // A migrator opens a handful of connections once; a pool would keep a lock's connection alive after its release.
                Pooling = false,
                ConnectionTimeout = 3,
                // A lock's connection is idle while a revision runs, and networks forget such.
                Keepalive = 15,
                DefaultCommandTimeout = 0,
                AllowUserVariables = true,
                ApplicationName = "UvlhubRunner",
            };
            if (connection.Password.Length == 0 && password is not null)
            {
                connection.Password = password;
            }

            if (connection.Server is "127.0.0.1" or "localhost" && !connection.ContainsKey("SSL Mode"))
            {
                // Nobody listens on the loopback address, and encrypting costs more than all of the work of a run with nothing to do.
                connection.SslMode = MySqlSslMode.Disabled;
                connection.AllowPublicKeyRetrieval = true;
            }

            return connection;
        }
        catch (ArgumentException)
        {
            // The message of the parser would repeat the value, which holds a password.
            throw new UserErrorException(
                $"{setting} is no connection string that MySqlConnector can read (Server=…;Port=…;User ID=…;Password=…)");
        }
    }
}
