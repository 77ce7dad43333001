using Xunit;

namespace UvlhubAspire.Checkout.Tests;

public sealed class InstanceNamesTests
{
    [Theory]
    [InlineData(null, "uvlhub_network")]
    [InlineData("teamA", "teamA_uvlhub_network")]
    public void The_network_has_the_tutorials_name(string? instance, string network) =>
        Assert.Equal(network, new InstanceNames(instance).Network);
}
