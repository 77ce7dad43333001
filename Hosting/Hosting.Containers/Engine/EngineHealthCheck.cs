using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.Engine;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// What the engine's own health check of a container says. The engine runs the check, at the intervals that the compose
/// file sets, and <c>docker ps</c> shows the same.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="container">The container's name.</param>
public sealed class EngineHealthCheck(ContainerEngine engine, string container) : IHealthCheck
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var inspected = await engine.RunAsync(s_limit, cancellationToken, "container", "inspect", "--format", "{{json .State.Health}}", container);
        return inspected.Succeeded ? Read(inspected.Output) : HealthCheckResult.Unhealthy($"{container} cannot be asked: {inspected.Error}");
    }

    /// <summary>Reads the engine's answer.</summary>
    internal static HealthCheckResult Read(string json)
    {
        using var document = JsonDocument.Parse(json.Length == 0 ? "null" : json);
        var health = document.RootElement;
        if (health.ValueKind != JsonValueKind.Object)
        {
            // Nobody could ever become healthy by waiting for a check that does not exist.
            return HealthCheckResult.Healthy("the image has no health check; it runs");
        }

        var status = health.GetProperty("Status").GetString();
        var last = health.TryGetProperty("Log", out var log) && log.ValueKind == JsonValueKind.Array && log.GetArrayLength() > 0
            ? log[log.GetArrayLength() - 1].GetProperty("Output").GetString()?.Trim()
            : null;
        var description = string.IsNullOrEmpty(last) ? $"the engine says {status}" : $"the engine says {status}: {last}";
        return status == "healthy" ? HealthCheckResult.Healthy(description) : HealthCheckResult.Unhealthy(description);
    }
}
