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

    [Fact(Timeout = 300_000)]
    public async Task A_check_that_is_a_program_is_asked_where_the_image_has_no_shell()
    {
        await using var container = await TestContainer.StartAsync(
            "redis", ["--health-cmd", "true", "--health-interval", "1s"], command: ["sleep", "infinity"]);
        await TestContainer.DockerAsync("exec", "--user", "0", container.Name, "rm", "/bin/sh");

        var answers = new EngineHealthCheck(new ContainerEngine("docker"), container.Name, ["true"]);
        await Eventually.IsAsync(
            async () => (await AskAsync(answers)).Description ?? "", said => said.EndsWith("which has no shell", StringComparison.Ordinal),
            what: "the answer of the program itself");
        Assert.Equal(HealthStatus.Healthy, (await AskAsync(answers)).Status);
        Assert.Equal(
            HealthStatus.Unhealthy, (await AskAsync(new EngineHealthCheck(new ContainerEngine("docker"), container.Name, ["false"]))).Status);

        static Task<HealthCheckResult> AskAsync(EngineHealthCheck check) =>
            check.CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
    }
}
