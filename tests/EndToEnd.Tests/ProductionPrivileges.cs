using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What docs/security.md says of the containers' powers, in Production: the migrator is one of them there.</summary>
public sealed partial class ProductionTests
{
    [Theory(Timeout = 60_000)]
    [InlineData("web_app_container")]
    [InlineData("rosemary_container")]
    [InlineData("rq_worker_container")]
    public async Task The_code_of_the_image_has_no_capability_and_can_get_none(string container) =>
        Assert.Equal(ContainerPower.None, await ContainerPower.OfAsync(Uvlhub, container, Cancellation));

    [Fact(Timeout = 60_000)]
    public async Task The_migrators_container_had_no_more_than_the_site()
    {
        // It has ended: there is no process to look at.
        const string power = "{{.HostConfig.Privileged}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.SecurityOpt}}";
        Assert.Equal("false [ALL] [] [no-new-privileges]", await Uvlhub.InspectAsync("migrator_container", power, Cancellation));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("mariadb_container")]
    [InlineData("nginx_web_server_container")]
    [InlineData("redis_container")]
    public async Task A_service_can_get_no_new_privileges(string container) =>
        Assert.False((await ContainerPower.OfAsync(Uvlhub, container, Cancellation)).MayGainMore);
}
