using System.Net;

namespace UvlhubAspire.AppHost.Services;

/// <summary>Where nginx leads to the site.</summary>
/// <param name="Url">Where nginx answers on this machine; known when it has started.</param>
/// <param name="IsPeoples">Whether people open the site there; in development they know it by Flask's own port, too.</param>
internal sealed record PublicAddressAnnotation(Func<Uri> Url, bool IsPeoples) : IResourceAnnotation
{
    // For a tenth of a second nginx's old workers answer beside those that know the site.
    private const int Answers = 3;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(180);

    /// <summary>What they write into the browser.</summary>
    public string Address() => Url().GetLeftPart(UriPartial.Authority);

    /// <summary>Waits until nginx passes on to the site, at most three minutes.</summary>
    /// <returns>What it did the last time instead; <see langword="null"/> if it does.</returns>
    public async Task<string?> WaitForSiteAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        var problem = "has not answered";
        try
        {
            for (var inARow = 0; inARow < Answers; await Task.Delay(s_pause, limit.Token))
            {
                var failed = await ProblemAsync(client, limit.Token);
                problem = failed ?? problem;
                inARow = failed is null ? inARow + 1 : 0;
            }

            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return problem;
        }
    }

    private async Task<string?> ProblemAsync(HttpClient client, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(Address(), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return answer.StatusCode < HttpStatusCode.InternalServerError ? null : $"answers {(int)answer.StatusCode}";
        }
        catch (HttpRequestException exception)
        {
            return $"does not answer ({(exception.InnerException ?? exception).Message})";
        }
    }
}
