using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using MySqlConnector;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A MariaDB that is no part of the model, on the host's address on the engine's bridge, where containers and this process
/// reach it; and a checkout whose settings name it.
/// </summary>
public sealed class ExternalMariaDB : IAsyncLifetime
{
    private const string Database = "uvlhubdb";
    private const string Password = "Render-of-a-test";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private readonly string _container = $"{Uvlhub.NewInstance()}_external";

    public SampleCheckout Checkout { get; } = new();

    public string Host { get; private set; } = "";

    public int Port { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var token = TestContext.Current.CancellationToken;
        var recipe = ImageRecipe.StandIn(RepositoryFolder.StandIn("mariadb"));
        await new ImageBuilder(Uvlhub.Engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, token);
        Host = await EngineAsync("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}");
        await EngineAsync(
            "run", "--detach", "--name", _container, "--publish", $"{Host}::3306", "--tmpfs", "/var/lib/mysql",
            "--env", $"MARIADB_ROOT_PASSWORD={Password}", "--env", $"MARIADB_DATABASE={Database}", "--env", "MARIADB_USER=site", "--env",
            $"MARIADB_PASSWORD={Password}",
            recipe.Image);
        Port = int.Parse((await EngineAsync("port", _container, "3306/tcp")).Split(':')[^1], CultureInfo.InvariantCulture);
        await WriteSettingsAsync(".env.render", Database, "site", $"MARIADB_ROOT_PASSWORD={Password}", token);
        // It has been there before.
        await Eventually.IsAsync(IsThereAsync, answer => answer == "1", s_limit, what: "a MariaDB that answers");

        async Task<string> IsThereAsync()
        {
            try
            {
                return await AskAsync("SELECT 1", token);
            }
            catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.UnableToConnectToHost)
            {
                return exception.Message;
            }
        }
    }

    /// <summary>All of its rows, the names of its databases, and its accounts with what they may, as text.</summary>
    internal Task<string> ContentAsync(CancellationToken cancellationToken) => Uvlhub.EngineAsync(
        s_limit, cancellationToken, "exec", _container, "sh", "-c",
        """
        export MYSQL_PWD="$MARIADB_ROOT_PASSWORD"
        mariadb-dump -uroot --skip-comments --skip-dump-date --order-by-primary uvlhubdb &&
            mariadb -uroot -e 'SHOW DATABASES; SELECT * FROM mysql.global_priv; SELECT * FROM mysql.db'
        """);

    /// <summary>Makes a user with one database and a few connections, as who offers databases does, and a file of settings for it.</summary>
    /// <returns>The file.</returns>
    public async Task<string> GiveOneDatabaseAsync(string name, int connections, CancellationToken cancellationToken)
    {
        await Uvlhub.EngineAsync(
            s_limit, cancellationToken, "exec", _container, "sh", "-c",
            "MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb -uroot -e \"$1\"", "sh",
            $"CREATE DATABASE {name}; CREATE USER {name} IDENTIFIED BY '{Password}' WITH MAX_USER_CONNECTIONS {connections}; "
            + $"GRANT ALL ON {name}.* TO {name}");
        await WriteSettingsAsync($".env.{name}", name, name, "", cancellationToken);
        return Checkout.File($".env.{name}");
    }

    private Task WriteSettingsAsync(string file, string database, string user, string rest, CancellationToken cancellationToken) =>
        File.WriteAllTextAsync(Checkout.File(file), $"""
            FLASK_APP_NAME="MINIHUB"
            FLASK_ENV=production
            DOMAIN=uvlhub.test
            MARIADB_HOSTNAME={Host}
            MARIADB_PORT={Port}
            MARIADB_DATABASE={database}
            MARIADB_USER={user}
            MARIADB_PASSWORD={Password}
            {rest}
            """, cancellationToken);

    /// <summary>Runs a statement as the site's user, and gives its first value.</summary>
    /// <param name="name">Another user, with the database of its name. Default: the site's.</param>
    public async Task<string> AskAsync(string sql, CancellationToken cancellationToken, string? name = null)
    {
        var settings = new MySqlConnectionStringBuilder
        {
            Server = Host,
            Port = (uint)Port,
            UserID = name ?? "site",
            Password = Password,
            Database = name ?? Database,
            Pooling = false,
        };
        var connection = new MySqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return await Uvlhub.FirstValueAsync(connection, sql, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Uvlhub.EngineAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", _container);
        }
        finally
        {
            await Uvlhub.RemoveImagesAsync(Checkout);
            Checkout.Dispose();
        }
    }

    private static Task<string> EngineAsync(params string[] arguments) =>
        Uvlhub.EngineAsync(s_limit, TestContext.Current.CancellationToken, arguments);
}
