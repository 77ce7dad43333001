using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Runner.Server;
using Xunit;

namespace UvlhubAspire.Runner.Tests.Server;

/// <summary>Who may ask for a deployment.</summary>
public sealed class WebhookTests : IAsyncLifetime
{
    private const string Token = "of-a-test-0123456789";
    private readonly HttpClient _client = new();
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _deployed = new();
    private readonly Uri _url = new($"http://localhost:{Webhook.Port}/webhook/deploy");
    private Task _webhook = Task.CompletedTask;
    private int _deployments;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _webhook = new Webhook(
            Token,
            _ =>
            {
                Interlocked.Increment(ref _deployments);
                return _deployed.Task;
            },
            TimeProvider.System, NullLogger.Instance).RunAsync(_end.Token);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _deployed.TrySetResult();
        await _end.CancelAsync();
        await _webhook;
        _client.Dispose();
        _end.Dispose();
    }

    [Theory(Timeout = 30_000)]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("of-a-test-0123456788")]
    [InlineData("of-a-test-01234567890")]
    [InlineData("of-a-test")]
    public async Task Without_the_token_nothing_is_deployed(string? token)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(token));
        Assert.Equal(0, _deployments);
    }

    [Fact(Timeout = 30_000)]
    public async Task With_the_token_it_deploys_answers_at_once_and_takes_no_second_one_meanwhile()
    {
        Assert.Equal(HttpStatusCode.Accepted, await AskAsync(Token));
        Assert.Equal(HttpStatusCode.Conflict, await AskAsync(Token));
        Assert.Equal(1, _deployments);
        _deployed.SetResult();
        Assert.Equal(HttpStatusCode.Accepted, await AskAsync(Token));
        Assert.Equal(2, _deployments);
    }

    [Fault(FaultArea.Production, "somebody guesses at the webhook's token")]
    [Fact(Timeout = 30_000)]
    public async Task A_token_cannot_be_guessed_by_many_attempts_and_they_do_not_shut_out_its_owner()
    {
        // Not the product's own constant: who changes that is to see what was promised.
        const int looked = 6;
        List<HttpStatusCode> answers = [];
        for (var attempt = 0; attempt < looked; attempt++)
        {
            answers.Add(await AskAsync($"guess {attempt}"));
        }

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer));
        var next = await AskAsync("one more");
        Proof.Happens(
            $"after {looked} wrong ones in a minute the next are not even told apart",
            () => Assert.Equal(HttpStatusCode.TooManyRequests, next));
        Proof.Happens("nothing is deployed", () => Assert.Equal(0, _deployments));
        var right = await AskAsync(Token);
        Proof.Happens("the right one is taken all the same", () => Assert.Equal(HttpStatusCode.Accepted, right));
    }

    [Fact(Timeout = 30_000)]
    public async Task There_is_nothing_else_to_be_asked()
    {
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await _client.GetAsync(_url, Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await _client.GetAsync(new Uri(_url, "/"), Cancellation)).StatusCode);
    }

    private async Task<HttpStatusCode> AskAsync(string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _url);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var answer = await _client.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }
}
