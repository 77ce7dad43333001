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
        { "shop_user", "shop_password", "shop" },
        { "user", "a;Server=elsewhere", "db" },
        { "user", "p'a\"s`s\\w$o{r}d; DROP DATABASE mysql; -- # %s ", "a b-c'd\"e`f\\g.h_%" },
        { "o'b\"r`i\\e n;--", " outer spaces ", "d;b=c" },
        { "señor", "contraseña 密码 🔑 = \\' \\\\ \\", "datenbänke" },
        { "user", "\"", "'" },
        { "a@b:c/d", "e@f:g/h?i#j%20", "k/l" },
        { "{0}", "{1}", "{a{{b}" },
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
        var database = Database("shop_user", "A-1.b+c/d@e", "shop");
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=shop_user;Password=A-1.b+c/d@e;Database=shop",
            await database.ConnectionStringExpression.GetValueAsync(Cancellation));
    }

    [Fact]
    public void What_is_published_names_the_password_and_does_not_have_it()
    {
        var database = Database("user", "a secret", "shop");

        Assert.Equal(
            "Server={db.bindings.tcp.host};Port={db.bindings.tcp.port};User ID=user;Password={password.value};Database=shop",
            database.ConnectionStringExpression.ValueExpression);
        Assert.DoesNotContain("a secret", database.UriExpression.ValueExpression, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_servers_own_is_roots_although_there_is_a_user()
    {
        var server = Database("user", "of the user", "shop").Parent;
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=root;Password=root",
            await server.ConnectionStringExpression.GetValueAsync(Cancellation));
        Assert.Equal($"mariadb://root:root@localhost:{Port}", await server.UriExpression.GetValueAsync(Cancellation));
    }

    [Fact]
    public async Task Without_a_user_a_databases_is_roots_too()
    {
        var database = Allocated(Server().AddDatabase("shop")).Resource;
        Assert.Equal(
            $"Server=localhost;Port={Port};User ID=root;Password=root;Database=shop",
            await database.ConnectionStringExpression.GetValueAsync(Cancellation));
    }

    [Fact]
    public async Task A_user_that_is_given_later_than_the_database_counts_all_the_same()
    {
        var server = Server();
        var database = Allocated(server.AddDatabase("shop")).Resource;
        server.WithUser("user", _builder.AddParameter("password", "late", secret: true));
        Assert.EndsWith(
            ";User ID=user;Password=late;Database=shop", await database.ConnectionStringExpression.GetValueAsync(Cancellation),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_servers_properties_are_roots_and_a_databases_are_the_users()
    {
        var database = Database("a {user}", "a secret", "the {shop}");

        Assert.Equal(
            [
                ("Host", "localhost"), ("Port", $"{Port}"), ("Username", "root"), ("Password", "root"),
                ("Uri", $"mariadb://root:root@localhost:{Port}"), ("JdbcConnectionString", $"jdbc:mariadb://localhost:{Port}"),
            ],
            await PropertiesAsync(database.Parent));
        Assert.Equal(
            [
                ("Host", "localhost"), ("Port", $"{Port}"), ("Username", "a {user}"), ("Password", "a secret"),
                ("Uri", $"mariadb://a%20%7Buser%7D:a%20secret@localhost:{Port}/the%20%7Bshop%7D"),
                ("JdbcConnectionString", $"jdbc:mariadb://localhost:{Port}/the%20%7Bshop%7D"), ("DatabaseName", "the {shop}"),
            ],
            await PropertiesAsync(database));
    }

    [Fact]
    public async Task Who_refers_to_a_database_has_its_properties_in_variables_of_its_name()
    {
        var database = Allocated(Server().WithUser("user", _builder.AddParameter("password", "secret", secret: true))
            .AddDatabase("shop"));
        var variables = await VariablesAsync(_builder.AddExecutable("web", "web", ".").WithReference(database).Resource);

        Assert.Equal(
            [
                "ConnectionStrings__shop", "SHOP_DATABASENAME", "SHOP_HOST", "SHOP_JDBCCONNECTIONSTRING", "SHOP_PASSWORD", "SHOP_PORT",
                "SHOP_URI", "SHOP_USERNAME",
            ],
            variables.Keys.Order(StringComparer.Ordinal));
        Assert.Equal($"Server=localhost;Port={Port};User ID=user;Password=secret;Database=shop", variables["ConnectionStrings__shop"]);
        Assert.Equal($"mariadb://user:secret@localhost:{Port}/shop", variables["SHOP_URI"]);
    }

    [Fact]
    public async Task A_server_whose_endpoint_was_taken_away_is_found_by_its_name()
    {
        var server = Server().Resource;
        server.Annotations.Remove(server.Annotations.OfType<EndpointAnnotation>().Single());

        Assert.Equal(
            "Server=db;Port=3306;User ID=root;Password=root", await server.ConnectionStringExpression.GetValueAsync(Cancellation));
        Assert.Equal("mariadb://root:root@db:3306", await server.UriExpression.GetValueAsync(Cancellation));
        Assert.Equal("jdbc:mariadb://db:3306", await server.JdbcConnectionString.GetValueAsync(Cancellation));
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

    private async Task<Dictionary<string, string?>> VariablesAsync(IResource resource)
    {
        var context = new EnvironmentCallbackContext(_builder.ExecutionContext, resource, cancellationToken: Cancellation);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        Dictionary<string, string?> variables = [];
        foreach (var (key, value) in context.EnvironmentVariables)
        {
            variables[key] = value is IValueProvider provider ? await provider.GetValueAsync(Cancellation) : $"{value}";
        }

        return variables;
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
