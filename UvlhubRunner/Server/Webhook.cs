using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace UvlhubAspire.Runner.Server;

/// <summary>Answers <c>POST /webhook/deploy</c>, as uvlhub's own webhook does: with the token a deployment begins.</summary>
internal sealed partial class Webhook(string token, Func<CancellationToken, Task> deploy, TimeProvider time, ILogger logger)
{
    /// <summary>The port on which it answers inside the network.</summary>
    public const int Port = 9000;

    private const string Path = "/webhook/deploy";
    private const string Scheme = "Bearer ";
    private const int FailuresInAMinute = 6;

    private readonly byte[] _expected = Digest(token);
    private readonly Queue<DateTimeOffset> _failures = new();
    private Task _deployment = Task.CompletedTask;

    /// <summary>Answers until it is told to end.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var listener = new HttpListener { Prefixes = { $"http://*:{Port}/" } };
        listener.Start();
        LogListening(Path);
        await using var end = cancellationToken.Register(listener.Stop);
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var request = await listener.GetContextAsync();
                var (status, text) = Answer(request.Request, cancellationToken);
                request.Response.StatusCode = (int)status;
                request.Response.ContentType = "text/plain";
                request.Response.Close(Encoding.UTF8.GetBytes($"{text}\n"), willBlock: false);
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                // Somebody went away, or it was told to end.
            }
        }

        await _deployment.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private (HttpStatusCode Status, string Text) Answer(HttpListenerRequest request, CancellationToken cancellationToken)
    {
        if (request.Url?.AbsolutePath != Path)
        {
            return (HttpStatusCode.NotFound, "There is nothing here.");
        }

        if (request.HttpMethod != "POST")
        {
            return (HttpStatusCode.MethodNotAllowed, "POST deploys.");
        }

        var authorization = request.Headers["Authorization"] ?? "";
        // Digests, because comparing in constant time needs equal lengths, and the length is part of the secret.
        if (!authorization.StartsWith(Scheme, StringComparison.Ordinal)
            || !CryptographicOperations.FixedTimeEquals(Digest(authorization[Scheme.Length..]), _expected))
        {
            return Refuse(request.Headers["X-Real-IP"] ?? "unknown");
        }

        if (!_deployment.IsCompleted)
        {
            return (HttpStatusCode.Conflict, "A deployment is under way; ask again when it has ended.");
        }

        _deployment = deploy(cancellationToken);
        return (HttpStatusCode.Accepted, "The deployment has begun; the log of updater tells how it goes.");
    }

    // Whoever guesses does not shut out the one who knows: only failures are counted.
    private (HttpStatusCode Status, string Text) Refuse(string address)
    {
        var now = time.GetUtcNow();
        while (_failures.TryPeek(out var oldest) && oldest < now - TimeSpan.FromMinutes(1))
        {
            _failures.Dequeue();
        }

        if (_failures.Count >= FailuresInAMinute)
        {
            return (HttpStatusCode.TooManyRequests, "Too many wrong tokens; the right one is taken.");
        }

        _failures.Enqueue(now);
        LogRefused(address);
        return (HttpStatusCode.Unauthorized, "The token is missing or wrong.");
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    [LoggerMessage(EventId = 810, Level = LogLevel.Information, Message = "POST {Path} with WEBHOOK_TOKEN deploys")]
    private partial void LogListening(string path);

    [LoggerMessage(EventId = 811, Level = LogLevel.Warning, Message = "A deployment was asked for from {Address} without the right token")]
    private partial void LogRefused(string address);
}
