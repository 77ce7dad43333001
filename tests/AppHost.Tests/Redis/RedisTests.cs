using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Redis;

public sealed class RedisTests
{
    [Fact]
    public async Task It_is_the_editions_image_on_any_free_port_with_a_health_check()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso);
        var redis = await model.FactsAsync("redis");
        Assert.Equal(("redis:8.2.1", RepositoryFolder.StandIn("redis")), (redis.Image, redis.Origin?.StandIn));
        Assert.Equal((null, 6379), (model.Endpoint("redis", "tcp").Port, model.Endpoint("redis", "tcp").TargetPort));
        Assert.Single(redis.Resource.Annotations.OfType<HealthCheckAnnotation>());
        Assert.Single(redis.Resource.Annotations.OfType<RestartPolicy>());
    }

    [Fact]
    public async Task A_port_that_is_set_is_taken()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso, change: null, "--Uvlhub:Ports:Redis=6379");
        Assert.Equal(6379, model.Endpoint("redis", "tcp").Port);
    }
}
