using System.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MySqlConnector;

namespace Aspire.Hosting;

/// <summary>
/// Healthy means: the application can work. The check logs in over TCP as the application user and asks a question,
/// because while the image initialises a new volume a server already answers on its socket
/// (https://github.com/MariaDB/mariadb-docker/issues/610), and an open port says nothing of users.
/// </summary>
/// <param name="connectionString">The connection string, resolved once the endpoint is known.</param>
internal sealed class MariaDBHealthCheck(Func<CancellationToken, ValueTask<string?>> connectionString) : IHealthCheck
{
    // Aspire asks again only after seconds; a server that has just come up should not wait for that.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var (result, mayPass) = await AskAsync(cancellationToken);
            if (!mayPass || Stopwatch.GetElapsedTime(started) > s_patience)
            {
                return result;
            }

            await Task.Delay(s_pause, cancellationToken);
        }
    }

    private async Task<(HealthCheckResult Result, bool MayPass)> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            var settings = new MySqlConnectionStringBuilder(await connectionString(cancellationToken) ?? "")
            {
                ConnectionTimeout = 2,
                DefaultCommandTimeout = 5,
                Pooling = false,
            };
            await using var connection = new MySqlConnection(settings.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new MySqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(cancellationToken);
            return (HealthCheckResult.Healthy($"MariaDB {connection.ServerVersion} answers {settings.UserID}"), false);
        }
        catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.AccessDenied)
        {
            return (HealthCheckResult.Unhealthy(
                $"MariaDB refuses the user ({exception.Message}): a volume keeps the credentials that it was created with. Put the old "
                + "password back, or remove the volume."), false);
        }
        catch (Exception exception) when (exception is MySqlException or InvalidOperationException or DistributedApplicationException)
        {
            return (HealthCheckResult.Unhealthy(exception.Message), true);
        }
    }
}
