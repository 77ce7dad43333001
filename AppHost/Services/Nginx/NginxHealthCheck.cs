using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.AppHost.Services;

/// <summary>Healthy means: it answers. With what is the site's state, not its own; a page for 502 is what it is there for.</summary>
/// <param name="url">Where it answers; resolved once its port is known.</param>
internal sealed class NginxHealthCheck(Func<Uri> url) : IHealthCheck
{
    private static readonly HttpClient s_client = new(
        new SocketsHttpHandler { AllowAutoRedirect = false })
    { Timeout = TimeSpan.FromSeconds(10) };

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            using var answer = await s_client.GetAsync(url(), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return HealthCheckResult.Healthy($"GET {url()} answered {(int)answer.StatusCode}");
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"GET {url()} failed: {exception.Message}");
        }
    }
}
