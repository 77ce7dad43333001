using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>How who refers to a MariaDB gets to it, whatever its names and passwords are.</summary>
public sealed class ConnectionStringTests
{
    private const int Port = 33070;
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, string> Values => new()
    {
        { "uvlhubdb_user", "uvlhubdb_password", "uvlhubdb" },
        { "user", "a;Server=elsewhere", "db" },
        { "user", "p'a\"s`s\\w$o{r}d; DROP DATABASE mysql; -- # %s ", "a b-c'd\"e`f\\g.h_%" },
        { "o'b\"r`i\\e n;--", " outer spaces ", "d;b=c" },
        { "señor", "contraseña 密码 🔑 = \\' \\\\ \\", "datenbänke" },
        { "user", "\"", "'" },
        { "a@b:c/d", "e@f:g/h?i#j%20", "k/l" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Every_value_is_read_out_of_the_connection_string_as_it_was_put_in(string user, string password, string name)
    {
        var database = Database(user, password, name);

        var read = new MySqlConnectionStringBuilder((await database.ConnectionStringExpression.GetValueAsync(Cancellation))!);

        Assert.Equal(("localhost", (uint)Port, user, password, name), (read.Server, read.Port, read.UserID, read.Password, read.Database));
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Every_value_is_read_out_of_the_address_as_it_was_put_in(string user, string password, string name)
    {
        var database = Database(user, password, name);

        var read = new Uri((await database.UriExpression.GetValueAsync(Cancellation))!);

        Assert.Equal(("mariadb", "localhost", Port), (read.Scheme, read.Host, read.Port));
        Assert.Equal([user, password], read.UserInfo.Split(':').Select(Uri.UnescapeDataString));
        Assert.Equal([name], read.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString));
    }

    [Fact]
    public async Task What_needs_no_quotes_has_none()
    {
        var database = Database("uvlhubdb_user", "A-1.b+c/d@e", "uvlhubdb");
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=uvlhubdb_user;Password=A-1.b+c/d@e;Database=uvlhubdb",
            await database.ConnectionStringExpression.GetValueAsync(Cancellation));
    }

    [Fact]
    public void What_is_published_names_the_password_and_does_not_have_it()
    {
        var database = Database("user", "a secret", "uvlhubdb");

        Assert.Equal(
            "Server={db.bindings.tcp.host};Port={db.bindings.tcp.port};User ID=user;Password={password.value};Database=uvlhubdb",
            database.ConnectionStringExpression.ValueExpression);
        Assert.DoesNotContain("a secret", database.UriExpression.ValueExpression, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_servers_own_is_roots_although_there_is_a_user()
    {
        var server = Database("user", "of the user", "uvlhubdb").Parent;
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=root;Password=root",
            await server.ConnectionStringExpression.GetValueAsync(Cancellation));
        Assert.Equal($"mariadb://root:root@localhost:{Port}", await server.UriExpression.GetValueAsync(Cancellation));
    }

    [Fact]
    public async Task Without_a_user_a_databases_is_roots_too()
    {
        var database = Allocated(Server().AddDatabase("uvlhubdb")).Resource;
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=root;Password=root;Database=uvlhubdb",
            await database.ConnectionStringExpression.GetValueAsync(Cancellation));
    }

    [Fact]
    public async Task A_user_that_is_given_later_than_the_database_counts_all_the_same()
    {
        var server = Server();
        var database = Allocated(server.AddDatabase("uvlhubdb")).Resource;
        server.WithUser("user", _builder.AddParameter("password", "late", secret: true));
        Assert.EndsWith(
            ";User ID=user;Password=late;Database=uvlhubdb", await database.ConnectionStringExpression.GetValueAsync(Cancellation),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_has_the_password_by_a_variable_gets_a_connection_string_without()
    {
        var server = Database("user", "a secret", "uvlhubdb").Parent;
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=\"a user\";Database=uvlhubdb",
            await server.OpenConnectionString("a user", "uvlhubdb").GetValueAsync(Cancellation));
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=user",
            await server.OpenConnectionString("user", database: null).GetValueAsync(Cancellation));
    }

    [Fact]
    public async Task A_servers_properties_are_roots_and_a_databases_are_the_users()
    {
        var database = Database("a user", "a secret", "uvlhubdb");

        Assert.Equal(
            [("Host", "localhost"), ("Port", $"{Port}"), ("Username", "root"), ("Password", "root"), ("Uri", $"mariadb://root:root@localhost:{Port}")],
            await PropertiesAsync(database.Parent));
        Assert.Equal(
            [
                ("Host", "localhost"), ("Port", $"{Port}"), ("Username", "a user"), ("Password", "a secret"), ("DatabaseName", "uvlhubdb"),
                ("Uri", $"mariadb://a%20user:a%20secret@localhost:{Port}/uvlhubdb"),
            ],
            await PropertiesAsync(database));
    }

    [Theory]
    [InlineData(null, 0, "Server=db;Port=3306;")]
    [InlineData("db.example.org", 3306, "Server=db.example.org;Port=3306;")]
    [InlineData("10.0.0.1", 3307, "Server=10.0.0.1;Port=3307;")]
    public async Task Without_a_port_on_the_host_containers_find_it_by_its_name_or_the_address_that_is_given(
        string? host, int port, string expected)
    {
        var server = Server();
        _ = host is null ? server.WithoutHostPort() : server.WithNetworkAddress(host, port);

        Assert.Empty(server.Resource.Annotations.OfType<EndpointAnnotation>());
        Assert.StartsWith(expected, await server.Resource.ConnectionStringExpression.GetValueAsync(Cancellation), StringComparison.Ordinal);
    }

    private IResourceBuilder<MariaDBServerResource> Server() =>
        _builder.AddMariaDB("db", _builder.AddParameter("root-password", "root", secret: true));

    private MariaDBDatabaseResource Database(string user, string password, string name) => Allocated(
        Server().WithUser(user, _builder.AddParameter("password", password, secret: true)).AddDatabase("database", name)).Resource;

    // As if the server had been started.
    private static IResourceBuilder<MariaDBDatabaseResource> Allocated(IResourceBuilder<MariaDBDatabaseResource> database)
    {
        var endpoint = database.Resource.Parent.Annotations.OfType<EndpointAnnotation>().Single();
        endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", Port);
        return database;
    }

    private static async Task<List<(string Name, string? Value)>> PropertiesAsync(IResourceWithConnectionString resource)
    {
        List<(string, string?)> properties = [];
        foreach (var (name, expression) in resource.GetConnectionProperties())
        {
            properties.Add((name, await expression.GetValueAsync(Cancellation)));
        }

        return properties;
    }
}
