using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.AppHost.Site;

/// <summary>Healthy means: the first page answers 2xx, which it does only while the database does, and the migrator is done.</summary>
/// <param name="url">Where the site answers; resolved once its port is known.</param>
/// <param name="hasMigrated">Whether the migrator has been successful.</param>
/// <param name="errors">Is told of its answers.</param>
internal sealed class SiteHealthCheck(Func<Uri> url, Func<bool> hasMigrated, SiteErrors? errors = null)
    : PatientHealthCheck(TimeSpan.FromMilliseconds(50))
{
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        Timeout = TimeSpan.FromSeconds(10),
        // The site's telemetry leaves these requests out: uvlhub_telemetry.py in the start-up folder.
        DefaultRequestHeaders = { { "User-Agent", "UvlhubAspire-HealthCheck" } },
    };

    protected override async Task<HealthCheckResult> AskAsync(CancellationToken cancellationToken)
    {
        if (!hasMigrated())
        {
            return HealthCheckResult.Unhealthy("the migrator is not done; its log says how far it is");
        }

        var site = url();
        try
        {
            using var answer = await s_client.GetAsync(site, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var status = (int)answer.StatusCode;
            await (errors?.NoteAsync(site, status, cancellationToken) ?? Task.CompletedTask);
            return answer.IsSuccessStatusCode
                ? HealthCheckResult.Healthy($"GET {site} answered {status}")
                : HealthCheckResult.Unhealthy($"GET {site} answered {status} {answer.ReasonPhrase}; its log says why");
        }
        catch (HttpRequestException exception)
        {
            await (errors?.NoteAsync(site, status: 0, cancellationToken) ?? Task.CompletedTask);
            return HealthCheckResult.Unhealthy($"GET {site} failed: {exception.Message}");
        }
    }
}
