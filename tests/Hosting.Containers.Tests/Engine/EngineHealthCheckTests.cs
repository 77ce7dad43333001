using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Engine;

public sealed class EngineHealthCheckTests
{
    [Theory]
    [InlineData("null", HealthStatus.Healthy, "no health check")]
    [InlineData("", HealthStatus.Healthy, "no health check")]
    [InlineData("""{"Status":"starting","FailingStreak":0,"Log":[]}""", HealthStatus.Unhealthy, "the engine says starting")]
    [InlineData("""{"Status":"healthy","FailingStreak":0,"Log":[{"Output":"ok\n"}]}""", HealthStatus.Healthy, "the engine says healthy: ok")]
    [InlineData("""{"Status":"unhealthy","FailingStreak":3,"Log":[{"Output":"old"},{"Output":"connection refused"}]}""", HealthStatus.Unhealthy, "the engine says unhealthy: connection refused")]
    public void The_engines_health_check_is_passed_on_with_its_last_output(string json, HealthStatus status, string description)
    {
        var result = EngineHealthCheck.Read(json.Length == 0 ? null : JsonSerializer.Deserialize<ContainerHealth>(json));
        Assert.Equal(status, result.Status);
        Assert.Contains(description, result.Description, StringComparison.Ordinal);
    }
}
