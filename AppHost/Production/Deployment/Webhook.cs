using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Production;

/// <summary>
/// Where a deployment is asked for from outside: <c>POST /webhook/deploy</c> with uvlhub's own
/// <c>Authorization: Bearer …</c>. It answers at once; the deployment goes on. The site itself knows nothing of it, and no
/// container has the engine's socket.
/// </summary>
/// <param name="deploy">Deploys.</param>
/// <param name="token">The token.</param>
/// <param name="port">The port on the loopback address; 0 takes a free one.</param>
/// <param name="socket">The socket by which nginx passes requests on; <see langword="null"/> if it does not.</param>
/// <param name="loggers">The log.</param>
internal sealed partial class Webhook(
    Func<CancellationToken, Task> deploy, string token, int port, string? socket, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    /// <summary>How many requests in a minute are looked at, whoever sends them: a token cannot be guessed like that.</summary>
    public const int RequestsInAMinute = 6;

    private readonly ILogger _logger = loggers.CreateLogger("UvlhubAspire.Deployment");
    private readonly CancellationTokenSource _end = new();
    private readonly byte[] _expected = Digest(token);
    private WebApplication? _application;

    /// <summary>Where it listens; known once it has started.</summary>
    public Uri Url => new($"{_application!.Urls.First(url => url.Contains("127.0.0.1", StringComparison.Ordinal))}/webhook/deploy");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            if (socket is not null)
            {
                // One that was ended by force leaves it behind.
                File.Delete(socket);
                kestrel.ListenUnixSocket(socket);
            }

            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024;
        });
        builder.Services.AddRoutingCore().AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(
                _ => RateLimitPartition.GetFixedWindowLimiter("all", _ => new FixedWindowRateLimiterOptions
                {
                    PermitLimit = RequestsInAMinute,
                    Window = TimeSpan.FromMinutes(1),
                }));
        });
        _application = builder.Build();
        _application.UseRateLimiter();
        _application.MapPost("/webhook/deploy", Answer);
        await _application.StartAsync(cancellationToken);
        if (socket is not null && !OperatingSystem.IsWindows())
        {
            // nginx's workers are another user.
            const UnixFileMode readWrite = (UnixFileMode)0b110_110_110;
            File.SetUnixFileMode(socket, readWrite);
        }

        LogListening(Url);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _end.CancelAsync();
        if (_application is not null)
        {
            await _application.StopAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await _application.DisposeAsync();
        }

        _end.Dispose();
    }

    private IResult Answer(HttpContext request)
    {
        var authorization = request.Request.Headers.Authorization.ToString();
        const string Scheme = "Bearer ";
        // Digests, because comparing in constant time needs equal lengths, and the length is part of the secret.
        if (!authorization.StartsWith(Scheme, StringComparison.Ordinal)
            || !CryptographicOperations.FixedTimeEquals(Digest(authorization[Scheme.Length..]), _expected))
        {
            LogRefused(request.Connection.RemoteIpAddress?.ToString() ?? "unknown");
            return Results.Text("The token is missing or wrong.\n", statusCode: StatusCodes.Status401Unauthorized);
        }

        _ = DeployAsync();
        return Results.Text("The deployment has begun; the log of web tells how it goes.\n", statusCode: StatusCodes.Status202Accepted);
    }

    private async Task DeployAsync()
    {
        try
        {
            await deploy(_end.Token);
        }
        catch (DeploymentException)
        {
            // Told in the site's log.
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // The application ends.
        }
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    [LoggerMessage(EventId = 810, Level = LogLevel.Information, Message = "POST {Address} with WEBHOOK_TOKEN deploys")]
    private partial void LogListening(Uri address);

    [LoggerMessage(EventId = 811, Level = LogLevel.Warning, Message = "A deployment was asked for from {Address} without the right token")]
    private partial void LogRefused(string address);
}
