using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// What the engine's own health check of a container says. The engine runs the check, at the intervals that the compose
/// file sets, and <c>docker ps</c> shows the same.
/// </summary>
/// <param name="engine">The engine.</param>
/// <param name="container">The container's name.</param>
/// <param name="command">
/// The words of the check, where it is a program: the engine's command line takes a shell's line alone, and where the image has no shell
/// the program is asked here. Default: the check is the image's own, or a shell's.
/// </param>
public sealed class EngineHealthCheck(ContainerEngine engine, string container, IReadOnlyList<string>? command = null) : IHealthCheck
{
    private const string Shell = "\"/bin/sh\": ";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var (found, error) = await engine.InspectAsync("container", container, cancellationToken);
        return found is null ? HealthCheckResult.Unhealthy($"{container} cannot be asked: {error}")
            : command is not null && found.State?.Health?.Log is [.., { Output: { } output }] && output.Contains(Shell, StringComparison.Ordinal)
                ? await AskAsync(command, cancellationToken)
                : Read(found.State?.Health);
    }

    private async Task<HealthCheckResult> AskAsync(IReadOnlyList<string> words, CancellationToken cancellationToken)
    {
        var asked = await engine.RunAsync(s_limit, cancellationToken, ["exec", container, .. words]);
        return asked.Succeeded ? HealthCheckResult.Healthy($"{words[0]} ends without an error inside {container}, which has no shell")
            : HealthCheckResult.Unhealthy($"{words[0]} fails inside {container}, which has no shell: {asked.Error.Trim()}");
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
