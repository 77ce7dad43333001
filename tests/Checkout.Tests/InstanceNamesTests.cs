using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Checkout.Tests;

public sealed class InstanceNamesTests
{
    [Theory]
    [InlineData(null, "uvlhub_network")]
    [InlineData("teamA", "teamA_uvlhub_network")]
    public void The_network_has_the_tutorials_name(string? instance, string network) =>
        Assert.Equal(network, new InstanceNames(instance).Network);

    [Theory]
    [InlineData("team a")]
    [InlineData("-a")]
    [InlineData("equipo/á")]
    public void An_instance_whose_name_the_engine_refuses_is_refused_before(string name) =>
        Assert.Contains(
            $"Uvlhub:Instance is '{name}'", Assert.Throws<UserErrorException>(() => new InstanceNames(name)).Message,
            StringComparison.Ordinal);
}
