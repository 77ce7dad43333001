using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Checkout.Tests;

public sealed class EnvironmentProfileTests
{
    [Fact]
    public void No_two_environments_share_a_container_or_a_volume()
    {
        var names = EnvironmentProfile.All.Where(profile => profile != EnvironmentProfile.Development)
            .Select(profile => new InstanceNames(null, profile));
        Assert.Distinct(EnvironmentProfile.All.Select(profile => profile.NamePrefix + profile.VolumeSuffix));
        Assert.Distinct(names.Select(name => name.DataVolume("minihub")));
    }

    [Fact]
    public void An_unknown_environment_is_named_with_the_known_ones()
    {
        var exception = Assert.Throws<UserErrorException>(() => EnvironmentProfile.Of("Prod", EnvironmentProfile.Development));
        Assert.Equal("Uvlhub:Environment is 'Prod'; it can be Development, Testing, Staging, Production, Render", exception.Message);
    }
}
