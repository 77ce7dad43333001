using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What docs/security.md says of the containers' powers, in Development; Production's are in ProductionPrivileges.cs.</summary>
[Collection(EditedGroup.Name)]
public sealed class PrivilegeTests(EditedSample sample)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("web_app_container")]
    [InlineData("rosemary_container")]
    [InlineData("rq_worker_container")]
    public async Task The_checkouts_code_has_no_capability_and_can_get_none(string container) =>
        Assert.Equal(ContainerPower.None, await ContainerPower.OfAsync(sample.Uvlhub, container, Cancellation));

    [Theory(Timeout = 60_000)]
    [InlineData("mariadb_container")]
    [InlineData("nginx_web_server_container")]
    [InlineData("redis_container")]
    public async Task A_service_can_get_no_new_privileges(string container) =>
        Assert.False((await ContainerPower.OfAsync(sample.Uvlhub, container, Cancellation)).MayGainMore);
}
