using Xunit;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>A server that several tests ask, with all that the integration can give it.</summary>
public sealed class RunningMariaDB : IAsyncLifetime
{
    public const string User = "shop_user";

    private readonly TemporaryFolder _scripts = new();
    private DistributedApplication? _application;

    public DistributedApplication Application => _application ?? throw new InvalidOperationException("not started");

    public MariaDBServerResource Server { get; private set; } = null!;

    /// <summary>Its databases, by the resources' names.</summary>
    public MariaDBDatabaseResource this[string name] => Server.Databases.Single(database => database.Name == name);

    public async ValueTask InitializeAsync()
    {
        _scripts.Write("1-products.sql", "CREATE TABLE products (name VARCHAR(20));\n");
        _scripts.Write("2-coffee.sql", "INSERT INTO products VALUES ('coffee');\n");

        var builder = TestApplication.CreateBuilder();
        var server = (await builder.AddMariaDBAsync())
            .WithUser(User, builder.AddSecret("password", "p;a'ss \"w{o}rd\\ = "))
            .WithInitFiles(_scripts.Path);
        var shop = server.AddDatabase("shop");
        server.AddDatabase("wildcards", "shop_test");
        server.AddDatabase("broken").WithCreationScript("CREATE NONSENSE");
        server.AddDatabase("odd", "a b-c'd\"e`f;g{h}%ñ");
        server.AddDatabase("spanish").WithCreationScript("CREATE DATABASE IF NOT EXISTS spanish COLLATE utf8mb4_spanish_ci");
        builder.AddContainer("client", await TestContainer.EnsureImageAsync("mariadb"))
            .WithEntrypoint("sh")
            .WithArgs("-ec", """
                MYSQL_PWD=$SHOP_PASSWORD mariadb --host="$SHOP_HOST" --port="$SHOP_PORT" --user="$SHOP_USERNAME" "$SHOP_DATABASENAME" \
                    --execute "INSERT INTO products VALUES ('tea of a container')"
                """)
            .WithReference(shop)
            .WaitFor(shop);

        Server = server.Resource;
        _application = await builder.BuildAsync();
        await _application.StartAsync(TestContext.Current.CancellationToken);
        foreach (var resource in (IResource[])[Server, .. Server.Databases.Where(database => database.Name != "broken")])
        {
            await _application.ResourceNotifications.WaitForResourceHealthyAsync(resource.Name, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await _application.StopAsync();
            await _application.DisposeAsync();
        }

        _scripts.Dispose();
    }
}
