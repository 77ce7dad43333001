using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Xunit;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>What a MariaDB is in an application model. Nothing is started.</summary>
public sealed class MariaDBModelTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_runs_the_pinned_image_whose_program_gets_no_roots_rights_back()
    {
        var server = _builder.AddMariaDB("db", port: 3307).Resource;

        var image = server.Annotations.OfType<ContainerImageAnnotation>().Single();
        Assert.Equal(("docker.io", "library/mariadb", "12.0.2"), (image.Registry, image.Image, image.Tag));
        Assert.Equal(["--security-opt", "no-new-privileges"], await EngineOptionsAsync(server));
        var endpoint = Assert.Single(server.Annotations.OfType<EndpointAnnotation>());
        Assert.Equal(("tcp", 3307, 3306), (endpoint.Name, endpoint.Port, endpoint.TargetPort));
    }

    [Fact]
    public void Without_a_port_the_system_chooses_one() =>
        Assert.Null(_builder.AddMariaDB("db").Resource.Annotations.OfType<EndpointAnnotation>().Single().Port);

    [Fact]
    public async Task A_password_that_is_not_given_is_made_up_of_letters_and_digits()
    {
        var server = _builder.AddMariaDB("db").WithUser("user").Resource;

        foreach (var (name, password) in new[]
        {
            ("db-root-password", server.RootPasswordParameter), ("db-password", server.UserPasswordParameter!),
        })
        {
            Assert.Equal((name, true), (password.Name, password.Secret));
            Assert.Matches("^[A-Za-z0-9]{16,}$", await password.GetValueAsync(Cancellation));
        }
    }

    [Fact]
    public async Task The_image_is_told_the_passwords_the_user_and_the_first_database()
    {
        var (root, user) = (Secret("root", "of root"), Secret("password", "of the user"));
        var server = _builder.AddMariaDB("db", root).WithUser("shop_user", user);
        server.AddDatabase("shop");
        server.AddDatabase("shop-test", "shop_test");

        Assert.Equal(
            new Dictionary<string, object>
            {
                ["MARIADB_ROOT_PASSWORD"] = root.Resource,
                ["MARIADB_USER"] = "shop_user",
                ["MARIADB_PASSWORD"] = user.Resource,
                ["MARIADB_DATABASE"] = "shop",
            },
            await EnvironmentAsync(server.Resource));
    }

    [Fact]
    public async Task Without_a_user_and_a_database_it_is_told_roots_password_alone()
    {
        var server = _builder.AddMariaDB("db", Secret("root", "of root")).Resource;
        Assert.Equal(["MARIADB_ROOT_PASSWORD"], (await EnvironmentAsync(server)).Keys);
    }

    [Fact]
    public void A_database_is_a_child_of_its_server_and_has_the_resources_name_if_no_other_is_given()
    {
        var server = _builder.AddMariaDB("db");
        var (first, second) = (server.AddDatabase("shop").Resource, server.AddDatabase("shop-test", "shop_test").Resource);

        Assert.Equal([first, second], server.Resource.Databases);
        Assert.Equal(("shop", "shop_test"), (first.DatabaseName, second.DatabaseName));
        Assert.All([first, second], database => Assert.Same(server.Resource, database.Parent));
        Assert.Equal([first, second], _builder.Resources.OfType<MariaDBDatabaseResource>());
    }

    [Fact]
    public void Two_resources_of_one_name_are_refused()
    {
        var server = _builder.AddMariaDB("db");
        server.AddDatabase("shop");

        Assert.Throws<DistributedApplicationException>(() => server.AddDatabase("shop"));
        Assert.Throws<DistributedApplicationException>(() => _builder.AddMariaDB("other").AddDatabase("shop"));
        Assert.Single(server.Resource.Databases);
    }

    [Fact]
    public void Two_servers_can_each_have_a_database_of_the_same_name() => Assert.Equal(
        ["shop", "shop"],
        ((string[])["one", "two"]).Select(name => _builder.AddMariaDB(name).AddDatabase($"{name}-shop", "shop").Resource.DatabaseName));

    [Fact]
    public async Task The_image_does_not_create_a_first_database_that_has_a_script_of_its_own()
    {
        var server = _builder.AddMariaDB("db");
        server.AddDatabase("shop").WithCreationScript("CREATE DATABASE IF NOT EXISTS shop COLLATE utf8mb4_bin");
        server.AddDatabase("second");

        Assert.DoesNotContain("MARIADB_DATABASE", (await EnvironmentAsync(server.Resource)).Keys);
    }

    [Fact]
    public void Server_and_databases_are_healthy_by_a_check_of_their_own()
    {
        var server = _builder.AddMariaDB("db");
        var database = server.AddDatabase("shop");

        Assert.Equal("db_check", server.Resource.Annotations.OfType<HealthCheckAnnotation>().Single().Key);
        Assert.Equal("shop_check", database.Resource.Annotations.OfType<HealthCheckAnnotation>().Single().Key);
        using var services = _builder.Services.BuildServiceProvider();
        var registered = services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations;
        Assert.Superset(new HashSet<string>(["db_check", "shop_check"]), registered.Select(check => check.Name).ToHashSet());
    }

    [Theory]
    [InlineData("mariadb_data", true)]
    [InlineData("mariadb_data", false)]
    public void The_data_is_in_the_volume_that_is_named(string name, bool isReadOnly)
    {
        var mount = Assert.Single(
            _builder.AddMariaDB("db").WithDataVolume(name, isReadOnly).Resource.Annotations.OfType<ContainerMountAnnotation>());
        Assert.Equal(
            (ContainerMountType.Volume, name, "/var/lib/mysql", isReadOnly), (mount.Type, mount.Source, mount.Target, mount.IsReadOnly));
    }

    [Fact]
    public void Two_servers_whose_volumes_are_not_named_share_none()
    {
        string?[] volumes = [.. ((string[])["one", "two"]).Select(name =>
            _builder.AddMariaDB(name).WithDataVolume().Resource.Annotations.OfType<ContainerMountAnnotation>().Single().Source)];
        Assert.All(volumes, volume => Assert.False(string.IsNullOrEmpty(volume)));
        Assert.Distinct(volumes);
    }

    [Fact]
    public void The_data_can_be_in_a_folder_of_the_host()
    {
        using var folder = new TemporaryFolder();
        var mount = Assert.Single(
            _builder.AddMariaDB("db").WithDataBindMount(folder.Path).Resource.Annotations.OfType<ContainerMountAnnotation>());
        Assert.Equal(
            (ContainerMountType.BindMount, folder.Path, "/var/lib/mysql", false),
            (mount.Type, mount.Source, mount.Target, mount.IsReadOnly));
    }

    [Fact]
    public async Task Scripts_are_copied_to_where_the_image_looks_for_them()
    {
        using var folder = new TemporaryFolder();
        folder.Write("1-table.sql", "CREATE TABLE t (x INT);\n");
        var server = _builder.AddMariaDB("db").WithInitFiles(folder.Path).Resource;

        var files = Assert.Single(server.Annotations.OfType<ContainerFileSystemCallbackAnnotation>());
        Assert.Equal("/docker-entrypoint-initdb.d", files.DestinationPath);
        using var services = _builder.Services.BuildServiceProvider();
        var copied = await files.Callback(new ContainerFileSystemCallbackContext { Model = server, Services = services }, Cancellation);
        Assert.Equal(["1-table.sql"], copied.Select(file => file.Name));
    }

    private IResourceBuilder<ParameterResource> Secret(string name, string value) => _builder.AddParameter(name, value, secret: true);

    private async Task<Dictionary<string, object>> EnvironmentAsync(IResource resource)
    {
        var context = new EnvironmentCallbackContext(_builder.ExecutionContext, resource, cancellationToken: Cancellation);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return context.EnvironmentVariables;
    }

    private static async Task<IEnumerable<object>> EngineOptionsAsync(IResource resource)
    {
        List<object> options = [];
        foreach (var annotation in resource.Annotations.OfType<ContainerRuntimeArgsCallbackAnnotation>())
        {
            await annotation.Callback(new ContainerRuntimeArgsCallbackContext(options, Cancellation));
        }

        return options;
    }
}
