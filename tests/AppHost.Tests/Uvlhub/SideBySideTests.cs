using System.Net;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.AppHost.Start;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Uvlhub;

public sealed class SideBySideTests
{
    [Fact]
    public void Without_an_instance_ports_and_names_are_the_tutorials()
    {
        var ports = new HostPorts(new UvlhubOptions());
        Assert.Equal((5000, 3306, 15888), (ports.Web.Number, ports.Database.Number, ports.Dashboard.Number));
        Assert.Equal("web_app_container", new InstanceNames(null).WebContainer);
    }

    [Fact]
    public void With_an_instance_every_port_that_is_not_set_is_any_free_one()
    {
        var ports = new HostPorts(new UvlhubOptions { Instance = "teamA", Ports = { ["Database"] = 3307 } });
        Assert.Equal((null, 3307, null), (ports.Web.Number, ports.Database.Number, ports.Dashboard.Number));
        Assert.Equal("teamA_web_app_container", new InstanceNames("teamA").WebContainer);
    }

    [Fact]
    public void Zero_is_any_free_port() => Assert.Null(new HostPorts(new UvlhubOptions { Ports = { ["Web"] = 0 } }).Web.Number);

    [Theory]
    [InlineData("Ngnix", "did you mean Uvlhub:Ports:Nginx?")]
    [InlineData("probe", "did you mean Uvlhub:Ports:probe:8080?")]
    [InlineData("bot:80", "did you mean Uvlhub:Ports:bot?")]
    [InlineData("elsewhere", "README.md lists them")]
    public async Task A_port_of_a_service_that_the_checkout_does_not_have_is_refused(string name, string advice) => Assert.Equal(
        $"Uvlhub:Ports:{name} is not a setting; {advice} (on the command line)",
        (await Assert.ThrowsAsync<UserErrorException>(
            () => EditionModel.CreateAsync(Edition.Course, WithOthers, $"--Uvlhub:Ports:{name}=8081"))).Message);

    [Fact]
    public async Task Ports_of_services_that_a_fork_adds_are_set_by_the_services_names()
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Course, WithOthers, "--Uvlhub:Ports:bot=8081", "--Uvlhub:Ports:probe:9090=8082");
        Assert.Equal(8081, model.Container("bot").Annotations.OfType<EndpointAnnotation>().Single().Port);
        Assert.Contains(model.Container("probe").Annotations.OfType<EndpointAnnotation>(), endpoint => endpoint.Port == 8082);
    }

    [Fact]
    public async Task A_port_of_ours_gives_way_to_what_the_checkout_publishes_on_it()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, folder => folder.Write(
            "docker/docker-compose.dev.yml",
            "services:\n  web: { image: web, expose: ['5000'] }\n  db: { image: mariadb }\n  nginx:\n    image: nginx\n    ports:\n      - 5000:80\n"));
        Assert.Equal(5000, model.Endpoint("nginx", "http").Port);
        var web = model.Container("web").Annotations.OfType<HostPortAnnotation>().Single(port => port.Endpoint == "http").Port;
        Assert.Equal(
            (null, $"5000 is nginx's by {model.Folder}/docker/docker-compose.dev.yml:7"), (web.Number, web.GivesWay));

        await using var chosen = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Ports:Web=5001");
        Assert.Equal(5001, chosen.Endpoint("web", "http").Port);
    }

    private static void WithOthers(TemporaryFolder folder) => folder.Write(
        "docker/docker-compose.dev.yml",
        "services: { web: { image: web }, db: { image: mariadb }, bot: { image: bot, ports: ['80'] }, probe: { image: bot, "
        + "ports: ['8080', '9090'] } }");

    [Fact]
    public void An_instance_has_dashboard_ports_of_its_own()
    {
        var options = new UvlhubOptions { Instance = "teamA" };
        var (first, second) = (Choose(options), Choose(options));
        string?[] addresses = [.. Addresses(first), .. Addresses(second)];
        Assert.All(addresses, address => Assert.StartsWith("http://localhost:", address, StringComparison.Ordinal));
        Assert.Equal(6, addresses.Distinct().Count());
        Assert.Empty(addresses.Intersect(["http://localhost:15888", "http://localhost:15889", "http://localhost:15890"]));
    }

    [Fact]
    public void A_dashboard_port_that_is_set_is_kept_with_an_instance_too()
    {
        var chosen = Choose(new UvlhubOptions { Instance = "teamA", Ports = { ["Dashboard"] = 16000 } });
        Assert.Equal(16000, DashboardAddresses.Port(chosen));
    }

    [Fact]
    public void Without_an_instance_only_what_programs_connect_to_gives_way()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var taken = ((IPEndPoint)listener.LocalEndpoint).Port;

        var chosen = Choose(new UvlhubOptions(), frontend: taken, otlp: taken);

        // The page's port stays, and preflight names who has it.
        Assert.Equal(taken, DashboardAddresses.Port(chosen));
        Assert.NotEqual($"http://localhost:{taken}", chosen["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"]);
    }

    private static ConfigurationManager Choose(UvlhubOptions options, int frontend = 15888, int otlp = 15889)
    {
        var configuration = new ConfigurationManager();
        configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [DashboardAddresses.Frontend] = $"http://localhost:{frontend}",
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{otlp}",
            ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = "http://localhost:15890",
        });
        DashboardAddresses.Choose(configuration, options, new HostPorts(options).Dashboard);
        return configuration;
    }

    private static IEnumerable<string?> Addresses(ConfigurationManager configuration) =>
        [configuration[DashboardAddresses.Frontend], configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"], configuration["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"]];
}
