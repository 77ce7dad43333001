using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Keeps asking for ten seconds before it says that something is not healthy. Aspire asks an unhealthy resource again after
/// one second, then two, up to five, and what has just come up should not wait for that.
/// </summary>
/// <param name="pause">Between two questions.</param>
public abstract class PatientHealthCheck(TimeSpan pause) : IHealthCheck
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        var answer = HealthCheckResult.Unhealthy($"no answer within {s_patience.TotalSeconds:0} s");
        try
        {
            while ((answer = await AskAsync(patience.Token)).Status != HealthStatus.Healthy)
            {
                await Task.Delay(pause, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The last answer counts.
        }

        return answer;
    }

    /// <summary>Asks once.</summary>
    protected abstract Task<HealthCheckResult> AskAsync(CancellationToken cancellationToken);
}
