using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// What the engine's own health check of a container says. The engine runs the check, at the intervals that the compose
/// file sets, and <c>docker ps</c> shows the same.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="container">The container's name.</param>
public sealed class EngineHealthCheck(ContainerEngine engine, string container) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var (found, error) = await engine.InspectAsync("container", container, cancellationToken);
        return found is null ? HealthCheckResult.Unhealthy($"{container} cannot be asked: {error}") : Read(found.State?.Health);
    }

    /// <summary>Reads the engine's answer.</summary>
    internal static HealthCheckResult Read(ContainerHealth? health)
    {
        if (health is null)
        {
            // Nobody could ever become healthy by waiting for a check that does not exist.
            return HealthCheckResult.Healthy("the image has no health check; it runs");
        }

        var last = health.Log is [.., var check] ? check.Output?.Trim() : null;
        var description = $"the engine says {health.Status}{(string.IsNullOrEmpty(last) ? "" : $": {last}")}";
        return health.Status == "healthy" ? HealthCheckResult.Healthy(description) : HealthCheckResult.Unhealthy(description);
    }
}
