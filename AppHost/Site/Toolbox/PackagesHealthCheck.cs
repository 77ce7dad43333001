using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.AppHost.Site;

/// <summary>Healthy means: what the checkout's start script installs before the migration is installed here too.</summary>
internal sealed class PackagesHealthCheck(ContainerEngine engine, string toolbox) : PatientHealthCheck(TimeSpan.FromMilliseconds(200))
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    protected override async Task<HealthCheckResult> AskAsync(CancellationToken cancellationToken)
    {
        var asked = await engine.RunAsync(s_limit, cancellationToken, "exec", toolbox, "test", "-e", StartScript.Installed);
        return asked.Succeeded
            ? HealthCheckResult.Healthy("the start script's packages are installed")
            : HealthCheckResult.Unhealthy($"the start script's packages are being installed; the log of {toolbox} shows how far");
    }
}
