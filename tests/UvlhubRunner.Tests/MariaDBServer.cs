using System.Security.Cryptography;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using Microsoft.Extensions.Logging.Abstractions;
using MySqlConnector;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;

namespace UvlhubAspire.UvlhubRunner.Tests;

/// <summary>
/// A MariaDB in a container of its own: the stand-in image, or the one that <c>UVLHUB_TEST_MARIADB</c> names, a random name, a random
/// port, gone when disposed.
/// </summary>
public sealed class MariaDBServer : IAsyncDisposable
{
    private const int Port = 3306;
    private static int s_databases;
    private readonly IContainer _container;

    private MariaDBServer(IContainer container, string rootPassword)
    {
        _container = container;
        RootPassword = rootPassword;
    }

    /// <summary>The container's name, as the engine's command line wants it.</summary>
    public string ContainerName => _container.Name.TrimStart('/');

    public string RootPassword { get; }

    /// <summary>What it was started from; it has the client's programs as well.</summary>
    public required string Image { get; init; }

    /// <summary>The address that other containers of the engine's default network reach the server at.</summary>
    public string Address => _container.IpAddress;

    public int HostPort => _container.GetMappedPublicPort(Port);

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="arguments">Arguments for <c>mariadbd</c>.</param>
    public static Task<MariaDBServer> StartAsync(CancellationToken cancellationToken, params string[] arguments) =>
        StartAsync(new Dictionary<string, string>(), cancellationToken, arguments);

    /// <summary>Starts a server that has some files, by path, and waits until it answers.</summary>
    /// <param name="arguments">Arguments for <c>mariadbd</c>.</param>
    public static async Task<MariaDBServer> StartAsync(
        IReadOnlyDictionary<string, string> files, CancellationToken cancellationToken, params string[] arguments)
    {
        // Its clean-up container would have to be pulled; every test disposes what it made instead.
        TestcontainersSettings.ResourceReaperEnabled = false;
        var image = Environment.GetEnvironmentVariable("UVLHUB_TEST_MARIADB") ?? "";
        if (image.Length == 0)
        {
            var recipe = ImageRecipe.StandIn(RepositoryFolder.StandIn("mariadb"));
            await new ImageBuilder(
                new ContainerEngine("docker"), NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, cancellationToken);
            image = recipe.Image;
        }

        var rootPassword = RandomText();
        var builder = new ContainerBuilder(image)
            .WithLogger(NullLogger.Instance)
            .WithName($"uvlhub-runner-tests-{RandomText()}")
            .WithEnvironment("MARIADB_ROOT_PASSWORD", rootPassword)
            .WithEnvironment("MARIADB_DATABASE", "first")
            .WithEnvironment("MARIADB_USER", "first")
            .WithEnvironment("MARIADB_PASSWORD", RandomText())
            .WithPortBinding(Port, assignRandomHostPort: true)
            .WithCommand(["mariadbd", .. arguments])
            .WithWaitStrategy(
                Wait.ForUnixContainer()
                .UntilCommandIsCompleted(
                    "mariadb-admin", "--protocol=tcp", "--host=127.0.0.1", "--user=root", $"--password={rootPassword}", "ping"));
        var container = files
            .Aggregate(builder, (with, file) => with.WithResourceMapping(System.Text.Encoding.UTF8.GetBytes(file.Value), file.Key))
            .Build();
        try
        {
            await container.StartAsync(cancellationToken);
            return new MariaDBServer(container, rootPassword) { Image = image };
        }
        catch
        {
            await container.DisposeAsync();
            throw;
        }
    }

    /// <summary>A connection string for <c>root</c>, without a database unless one is named.</summary>
    public string RootConnectionString(string database = "") => ConnectionString(database, "root", RootPassword);

    /// <summary>Creates a database and a user with all rights on it and on nothing else.</summary>
    /// <param name="name">The database's name. Default: a new one.</param>
    /// <param name="user">The user's name. Default: a new one.</param>
    public async Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken, string? name = null, string? user = null)
    {
        var number = Interlocked.Increment(ref s_databases);
        name ??= $"test_{number}";
        user ??= $"user_{number}";
        // Quotes and a backslash: whatever passes a password on must not take them for anything.
        var password = $"p'a\"s`s\\ $w{RandomText()}";
        var pattern = name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)
            .Replace("%", "\\%", StringComparison.Ordinal);
        await ExecuteAsync(RootConnectionString(), $"""
            CREATE DATABASE {Identifier(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
            CREATE USER {Text(user)}@'%' IDENTIFIED BY {Text(password)};
            GRANT ALL PRIVILEGES ON {Identifier(pattern)}.* TO {Text(user)}@'%';
            """, cancellationToken);
        return new TestDatabase(this, name, user, password, ConnectionString(name, user, password));
    }

    /// <summary>Runs a command inside the container.</summary>
    public async Task<ExecResult> ExecAsync(CancellationToken cancellationToken, params string[] command) =>
        await _container.ExecAsync(command, cancellationToken);

    public async ValueTask DisposeAsync() => await _container.DisposeAsync();

    internal static async Task ExecuteAsync(string connectionString, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new MySqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new MySqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private string ConnectionString(string database, string user, string password) => new MySqlConnectionStringBuilder
    {
        Server = "127.0.0.1",
        Port = (uint)HostPort,
        UserID = user,
        Password = password,
        Database = database,
        Pooling = false,
        AllowUserVariables = true,
    }.ConnectionString;

    private static string Identifier(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    private static string Text(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    private static string RandomText() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
}

/// <summary>A database with a user of its own.</summary>
public sealed record TestDatabase(MariaDBServer Server, string Name, string User, string Password, string ConnectionString)
{
    /// <summary>The same database as <c>root</c>.</summary>
    public string RootConnectionString => Server.RootConnectionString(Name);

    /// <summary>Runs statements as the database's user.</summary>
    public Task ExecuteAsync(string sql, CancellationToken cancellationToken) =>
        MariaDBServer.ExecuteAsync(ConnectionString, sql, cancellationToken);

    /// <summary>Reads one value as the database's user.</summary>
    public async Task<T> ReadAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new MySqlConnection(ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new MySqlCommand(sql, connection);
        var value = await command.ExecuteScalarAsync(cancellationToken);
        return (T)Convert.ChangeType(value, typeof(T), System.Globalization.CultureInfo.InvariantCulture)!;
    }
}
