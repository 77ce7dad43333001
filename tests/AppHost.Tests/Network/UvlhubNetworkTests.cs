using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Network;

public sealed class UvlhubNetworkTests
{
    [Theory]
    [InlineData(null, "uvlhub_network")]
    [InlineData("teamA", "teamA_uvlhub_network")]
    public void It_has_the_tutorials_name(string? instance, string network) => Assert.Equal(network, new InstanceNames(instance).Network);

    [Fact]
    public async Task A_container_has_all_its_names_there()
    {
        await using var model = await EditionModel.CreateAsync(EditionModel.Course, change: null, "--Uvlhub:Instance=teamA");
        Assert.Equal("name=0123abc,alias=nginx,alias=nginx_web_server_container", NamedNetwork.Option(model.Container("nginx"), "0123abc"));
    }
}
