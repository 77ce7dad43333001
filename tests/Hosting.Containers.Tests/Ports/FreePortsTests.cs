using System.Net;
using System.Net.Sockets;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Ports;

public sealed class FreePortsTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("0.0.0.0")]
    public void A_port_on_which_somebody_listens_is_not_free_and_the_listener_is_named(string address)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6 || address != "::1", "this machine has no IPv6");
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        Assert.False(FreePorts.IsFree(port));
        Assert.EndsWith($" (process {Environment.ProcessId})", PortOwner.Find(port), StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_is_given_a_port_that_another_has_been_given() =>
        Assert.Distinct(Enumerable.Range(0, 50).AsParallel().Select(_ => FreePorts.Next()));
}
