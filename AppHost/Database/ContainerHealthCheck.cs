using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace UvlhubAspire.AppHost.Database;

/// <summary>
/// Healthy means the same as for <see cref="MariaDBHealthCheck"/>, asked inside the container: of a server that has no
/// port on the host.
/// </summary>
internal sealed class ContainerHealthCheck(ContainerEngine engine, string container)
    : PatientHealthCheck(TimeSpan.FromMilliseconds(200))
{
    /// <summary>
    /// Logs in as the application's user over TCP, as the site does: the socket already answers while the image sets a
    /// new volume up. The password is the container's own variable, or the file that a secret is mounted as.
    /// </summary>
    public const string Script = """
        export MYSQL_PWD="${MARIADB_PASSWORD:-$(cat "${MARIADB_PASSWORD_FILE:-/dev/null}")}"; exec mariadb --protocol=tcp --host=127.0.0.1 --skip-ssl-verify-server-cert --connect-timeout=3 --user="$MARIADB_USER" --execute='SELECT 1' "$MARIADB_DATABASE"
        """;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(10);

    protected override async Task<HealthCheckResult> AskAsync(CancellationToken cancellationToken)
    {
        var asked = await engine.RunAsync(s_limit, cancellationToken, "exec", container, "sh", "-c", Script);
        return asked.Succeeded
            ? HealthCheckResult.Healthy($"the application's user logs in inside {container}")
            : HealthCheckResult.Unhealthy($"inside {container} the application's user cannot log in: {asked.Error.Split('\n')[^1]}");
    }
}
