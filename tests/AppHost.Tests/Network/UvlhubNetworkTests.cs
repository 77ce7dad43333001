using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Network;

public sealed class UvlhubNetworkTests
{
    [Fact]
    public async Task A_container_has_all_its_names_there()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Instance=teamA");
        Assert.Equal("name=0123abc,alias=nginx,alias=nginx_web_server_container", NamedNetwork.Option(model.Container("nginx"), "0123abc"));
    }
}
