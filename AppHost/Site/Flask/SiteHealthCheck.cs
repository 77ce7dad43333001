using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// Healthy means: the first page answers 2xx, which it does only while the database does. While the answer is another,
/// the check keeps asking for a while before it says so: Aspire asks an unhealthy resource again after one second, then
/// two, up to five, and a site that is up should not wait for that.
/// </summary>
/// <param name="url">Where the site answers; resolved once its port is known.</param>
/// <param name="errors">Is told of its answers.</param>
internal sealed class SiteHealthCheck(Func<Uri> url, SiteErrors? errors = null) : IHealthCheck
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        Timeout = TimeSpan.FromSeconds(10),
        // The site's telemetry leaves these requests out: uvlhub_telemetry.py in the start-up folder.
        DefaultRequestHeaders = { { "User-Agent", "UvlhubAspire-HealthCheck" } },
    };

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        var site = url();
        var last = "did not answer";
        try
        {
            while (true)
            {
                try
                {
                    using var answer = await s_client.GetAsync(site, HttpCompletionOption.ResponseHeadersRead, patience.Token);
                    await (errors?.NoteAsync(site, (int)answer.StatusCode, patience.Token) ?? Task.CompletedTask);
                    if (answer.IsSuccessStatusCode)
                    {
                        return HealthCheckResult.Healthy($"GET {site} answered {(int)answer.StatusCode}");
                    }

                    last = $"answered {(int)answer.StatusCode} {answer.ReasonPhrase}; its log says why";
                }
                catch (HttpRequestException exception)
                {
                    last = $"failed: {exception.Message}";
                }

                await Task.Delay(s_pause, patience.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"GET {site} {last}");
        }
    }
}
