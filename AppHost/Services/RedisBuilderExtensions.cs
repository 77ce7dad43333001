using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Adds the store of sessions and of the worker's queue.</summary>
internal static class RedisBuilderExtensions
{
    /// <summary>Redis; compose does not publish its port.</summary>
    public static KnownService Redis { get; } = new("redis", "redis_container", "redis:8.2.1", "redis")
    {
        Ports = [new("Redis", 6379, "tcp") { Default = 0 }],
    };

    /// <summary>Adds Redis, empty at each start as under compose. It is healthy when it answers a PING.</summary>
    /// <returns>The store's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddRedisStore(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub)
    {
        var redis = builder.AddService(uvlhub, Redis);
        return redis?
            .WithContainerRuntimeArgs("--security-opt", "no-new-privileges")
            .WithHealthCheck(_ => new RedisHealthCheck(() => redis.GetEndpoint("tcp")))
            .DiffersFromCompose(
                DriftAspect.Port, "the health check, and whoever looks for the cause of something, reaches it by any free port", "6379")
            .WithIconName("DatabaseLightning");
    }
}
