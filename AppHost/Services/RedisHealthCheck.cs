using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.AppHost.Services;

/// <summary>Healthy means: it answers a PING. One that wants a password first answers too.</summary>
/// <param name="endpoint">Where it answers; resolved once its port is known.</param>
internal sealed class RedisHealthCheck(Func<EndpointReference> endpoint) : IHealthCheck
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(endpoint().Host, endpoint().Port, limit.Token);
            await using var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray(), limit.Token);
            using var reader = new StreamReader(stream, Encoding.ASCII);
            return await reader.ReadLineAsync(limit.Token) switch
            {
                "+PONG" => HealthCheckResult.Healthy("PING answered PONG"),
                { } other when other.StartsWith("-NOAUTH", StringComparison.Ordinal) =>
                    HealthCheckResult.Healthy("PING answered that it wants a password"),
                { } other => HealthCheckResult.Unhealthy($"PING answered {other}"),
                null => HealthCheckResult.Unhealthy("the connection was closed without an answer to PING"),
            };
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"PING failed: {exception.Message}");
        }
    }
}
