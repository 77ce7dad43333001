using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.AppHost.Production;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Deployment;

/// <summary>Who may ask for a deployment.</summary>
public sealed class WebhookTests : IDisposable
{
    private const string Token = "of-a-test-0123456789";
    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _client = new();
    private int _deployments;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Theory(Timeout = 30_000)]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("of-a-test-0123456788")]
    [InlineData("of-a-test-01234567890")]
    [InlineData("of-a-test")]
    public async Task Without_the_token_nothing_is_deployed(string? token)
    {
        await using var webhook = await StartAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(_client, webhook.Url, token));
        Assert.Equal(0, _deployments);
    }

    [Fact(Timeout = 30_000)]
    public async Task With_the_token_it_deploys_and_answers_at_once()
    {
        await using var webhook = await StartAsync();
        Assert.Equal(HttpStatusCode.Accepted, await AskAsync(_client, webhook.Url, Token));
        Assert.Equal(1, _deployments);
    }

    [Fault(FaultArea.Production, "somebody guesses at the webhook's token")]
    [Fact(Timeout = 30_000)]
    public async Task A_token_cannot_be_guessed_by_many_attempts()
    {
        // Not the product's own constant: who changes that is to see what was promised.
        const int looked = 6;
        await using var webhook = await StartAsync();
        List<HttpStatusCode> answers = [];
        for (var attempt = 0; attempt < looked; attempt++)
        {
            answers.Add(await AskAsync(_client, webhook.Url, $"guess {attempt}"));
        }

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer));
        var next = await AskAsync(_client, webhook.Url, Token);
        Proof.Happens(
            $"after {looked} requests in a row none is looked at, not even one with the right token",
            () => Assert.Equal(HttpStatusCode.TooManyRequests, next));
        Proof.Happens("nothing is deployed", () => Assert.Equal(0, _deployments));
    }

    [Fact(Timeout = 30_000)]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task It_listens_on_a_socket_of_which_another_user_may_ask_even_if_an_old_one_lies_there()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no such sockets");
        var socket = _folder.Write("deploy.sock", "left behind");
        await using var webhook = await StartAsync(socket);
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        });
        Assert.Equal(HttpStatusCode.Accepted, await AskAsync(client, new Uri("http://uvlhub.test/webhook/deploy"), Token));
        Assert.True(File.GetUnixFileMode(socket).HasFlag(UnixFileMode.OtherWrite));
    }

    private async Task<Webhook> StartAsync(string? socket = null)
    {
        var webhook = new Webhook(
            _ => Task.FromResult(Interlocked.Increment(ref _deployments)), Token, port: 0, socket, NullLoggerFactory.Instance);
        await webhook.StartAsync(Cancellation);
        return webhook;
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient client, Uri url, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        using var answer = await client.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }
}
