using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using MySqlConnector;
using UvlhubAspire.AppHost.Images;
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
        var recipe = ImageRecipe.StandIn("mariadb");
        await new ImageBuilder(Uvlhub.Engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, token);
        Host = await EngineAsync("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}");
        await EngineAsync(
            "run", "--detach", "--name", _container, "--publish", $"{Host}::3306", "--tmpfs", "/var/lib/mysql",
            "--env", $"MARIADB_ROOT_PASSWORD={Password}", "--env", $"MARIADB_DATABASE={Database}", "--env", "MARIADB_USER=site", "--env", $"MARIADB_PASSWORD={Password}",
            recipe.Image);
        Port = int.Parse((await EngineAsync("port", _container, "3306/tcp")).Split(':')[^1], CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(Checkout.File(".env.render"), $"""
            FLASK_APP_NAME="MINIHUB"
            FLASK_ENV=production
            DOMAIN=uvlhub.test
            MARIADB_HOSTNAME={Host}
            MARIADB_PORT={Port}
            MARIADB_DATABASE={Database}
            MARIADB_USER=site
            MARIADB_PASSWORD={Password}
            MARIADB_ROOT_PASSWORD={Password}
            """, token);
        // It has been there before.
        while (true)
        {
            try
            {
                await AskAsync("SELECT 1", token);
                return;
            }
            catch (MySqlException)
            {
                await Task.Delay(200, token);
            }
        }
    }

    /// <summary>Runs a statement as the site's user, and gives its first value.</summary>
    public async Task<string> AskAsync(string sql, CancellationToken cancellationToken)
    {
        var settings = new MySqlConnectionStringBuilder
        {
            Server = Host,
            Port = (uint)Port,
            UserID = "site",
            Password = Password,
            Database = Database,
            Pooling = false,
        };
        var connection = new MySqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return await Uvlhub.FirstValueAsync(connection, sql, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "rm", "--force", "--volumes", _container);
        await Uvlhub.RemoveImagesAsync(Checkout);
        Checkout.Dispose();
    }

    private static Task<string> EngineAsync(params string[] arguments) => Uvlhub.EngineAsync(s_limit, TestContext.Current.CancellationToken, arguments);
}
