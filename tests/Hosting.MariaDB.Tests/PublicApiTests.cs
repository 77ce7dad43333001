using PublicApiGenerator;
using Xunit;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>What others compile against.</summary>
public sealed class PublicApiTests
{
    private static readonly IDistributedApplicationBuilder s_builder = DistributedApplication.CreateBuilder();
    private static readonly IResourceBuilder<ParameterResource> s_password = s_builder.AddParameter("password", secret: true);
    private static readonly IResourceBuilder<MariaDBServerResource> s_server = s_builder.AddMariaDB("db", s_password);
    private static readonly IResourceBuilder<MariaDBDatabaseResource> s_database = s_server.AddDatabase("shop");

    /// <summary>An argument that must be there; what passes null for it; and, where it is a text, what passes an empty one.</summary>
    private static readonly (string Member, string Argument, Action Null, Action? Empty)[] s_arguments =
    [
        ("AddMariaDB", "builder", () => ((IDistributedApplicationBuilder)null!).AddMariaDB("other"), null),
        ("AddMariaDB", "name", () => s_builder.AddMariaDB(null!), () => s_builder.AddMariaDB(string.Empty)),
        ("WithUser", "builder", () => Server(null).WithUser("user"), null),
        ("WithUser", "userName", () => s_server.WithUser(null!), () => s_server.WithUser("")),
        ("AddDatabase", "builder", () => Server(null).AddDatabase("other"), null),
        ("AddDatabase", "name", () => s_server.AddDatabase(null!), () => s_server.AddDatabase(string.Empty)),
        ("WithCreationScript", "builder", () => ((IResourceBuilder<MariaDBDatabaseResource>)null!).WithCreationScript("SELECT 1"), null),
        ("WithCreationScript", "script", () => s_database.WithCreationScript(null!), () => s_database.WithCreationScript("")),
        ("WithDataVolume", "builder", () => Server(null).WithDataVolume(), null),
        ("WithDataBindMount", "builder", () => Server(null).WithDataBindMount("data"), null),
        ("WithDataBindMount", "source", () => s_server.WithDataBindMount(null!), () => s_server.WithDataBindMount("")),
        ("WithInitFiles", "builder", () => Server(null).WithInitFiles("init"), null),
        ("WithInitFiles", "source", () => s_server.WithInitFiles(null!), () => s_server.WithInitFiles("")),
        ("MariaDBServerResource", "name", () => _ = new MariaDBServerResource(null!, s_password.Resource),
            () => _ = new MariaDBServerResource("", s_password.Resource)),
        ("MariaDBServerResource", "rootPassword", () => _ = new MariaDBServerResource("other", null!), null),
        ("MariaDBDatabaseResource", "name", () => _ = new MariaDBDatabaseResource(null!, "shop", s_server.Resource),
            () => _ = new MariaDBDatabaseResource("", "shop", s_server.Resource)),
        ("MariaDBDatabaseResource", "databaseName", () => _ = new MariaDBDatabaseResource("other", null!, s_server.Resource),
            () => _ = new MariaDBDatabaseResource("other", "", s_server.Resource)),
        ("MariaDBDatabaseResource", "parent", () => _ = new MariaDBDatabaseResource("other", "shop", null!), null),
    ];

    public static TheoryData<string, string> Arguments => [.. s_arguments.Select(known => (known.Member, known.Argument))];

    [Theory]
    [MemberData(nameof(Arguments))]
    public void An_argument_that_must_be_there_is_named_where_it_is_missing(string member, string argument)
    {
        var (_, _, withNull, withEmpty) = s_arguments.Single(known => known.Member == member && known.Argument == argument);

        Assert.Equal(argument, Assert.Throws<ArgumentNullException>(withNull).ParamName);
        if (withEmpty is not null)
        {
            Assert.Equal(argument, Assert.Throws<ArgumentException>(withEmpty).ParamName);
        }

        // What was refused has left nothing.
        Assert.Equal([s_server.Resource], s_builder.Resources.OfType<MariaDBServerResource>());
        Assert.Equal([s_database.Resource], s_server.Resource.Databases);
        Assert.Null(s_server.Resource.UserName);
        Assert.Empty(s_server.Resource.Annotations.OfType<ContainerMountAnnotation>());
    }

    [Fact]
    public void Every_member_that_is_public_was_meant_to_be()
    {
        var members = typeof(MariaDBServerResource).Assembly.GeneratePublicApi(new() { IncludeAssemblyAttributes = false });

        // Where the change is meant, it goes into the file as well.
        Assert.Equal(File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "PublicApi.txt")), members.TrimEnd().Split('\n'));
    }

    private static IResourceBuilder<MariaDBServerResource> Server(IResourceBuilder<MariaDBServerResource>? server) => server!;
}
