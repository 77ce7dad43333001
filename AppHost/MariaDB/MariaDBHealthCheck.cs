using Microsoft.Extensions.Diagnostics.HealthChecks;
using MySqlConnector;

namespace UvlhubAspire.AppHost.MariaDB;

/// <summary>
/// Healthy means: the application can work. The check logs in over TCP as the application user and asks a question,
/// because while the image initialises a new volume a server already answers on its socket
/// (https://github.com/MariaDB/mariadb-docker/issues/610).
/// </summary>
/// <param name="connectionString">The connection string, resolved once the endpoint is known.</param>
internal sealed class MariaDBHealthCheck(Func<CancellationToken, ValueTask<string?>> connectionString) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
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
            return HealthCheckResult.Healthy($"MariaDB {connection.ServerVersion} answers {settings.UserID}");
        }
        catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.AccessDenied)
        {
            return HealthCheckResult.Unhealthy(
                $"MariaDB refuses the user of the checkout's .env ({exception.Message}): the volume was created with other credentials. Put the old password back, or reset the volume.");
        }
        catch (Exception exception) when (exception is MySqlException or InvalidOperationException or DistributedApplicationException)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
