using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.AppHost.Start;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
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
        var ports = new HostPorts(new UvlhubOptions { Instance = "teamA", Ports = new() { Database = 3307 } });
        Assert.Equal((null, 3307, null), (ports.Web.Number, ports.Database.Number, ports.Dashboard.Number));
        Assert.Equal("teamA_web_app_container", new InstanceNames("teamA").WebContainer);
    }

    [Fact]
    public void Zero_is_any_free_port() => Assert.Null(new HostPorts(new UvlhubOptions { Ports = new() { Web = 0 } }).Web.Number);

    [Theory]
    [InlineData(-1)]
    [InlineData(65536)]
    public void A_number_that_is_no_port_is_named_with_its_setting(int port)
    {
        var ports = new HostPorts(new UvlhubOptions { Ports = new() { Web = port } });
        var exception = Assert.Throws<UserErrorException>(() => ports.Web);
        Assert.StartsWith($"Uvlhub:Ports:Web is {port};", exception.Message, StringComparison.Ordinal);
    }

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
        var chosen = Choose(new UvlhubOptions { Instance = "teamA", Ports = new() { Dashboard = 16000 } });
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
