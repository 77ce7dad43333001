using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Redis;

/// <summary>Adds the store of sessions and of the worker's queue.</summary>
internal static class RedisBuilderExtensions
{
    private const string Image = "redis:8.2.1";
    private const string EndpointName = "tcp";

    /// <summary>Adds Redis, empty at each start as under compose. It is healthy when it answers a PING.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name; also the service's.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <returns>The store's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddRedisStore(this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub)
    {
        if (!uvlhub.Services.Includes(name))
        {
            return null;
        }

        var redis = builder.AddService(name, uvlhub, Image, "redis", "redis_container")
            .WithContainerRuntimeArgs("--security-opt", "no-new-privileges")
            .WithEndpoint(targetPort: 6379, name: EndpointName)
            .WithHostPort(uvlhub.Ports.Redis)
            .DiffersFromCompose(DriftAspect.Port, "the health check, and whoever looks for the cause of something, reaches it by any free port", "6379")
            .WithIconName("DatabaseLightning");

        var key = $"{name}_check";
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, _ => new RedisHealthCheck(() => redis.GetEndpoint(EndpointName)), failureStatus: null, tags: null));
        return redis.WithHealthCheck(key);
    }
}
