using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using Polly.Timeout;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;

namespace UvlhubAspire.Runner.Resilience;

/// <summary>
/// Which failures pass by themselves. Everything that is not named here is permanent: a refused password does not become
/// right by asking again, and a statement that failed may have changed the schema.
/// </summary>
internal static partial class TransientCause
{
    // Numbers of https://mariadb.com/docs/server/reference/error-codes and of the client library (2xxx).
    private const int AccessDeniedNoPassword = 1698;
    private const int ServerGone = 2006;
    private const int ServerLost = 2013;
    private const int ConnectionKilled = 1927;
    private const int ShutdownInProgress = 1053;

    /// <summary>Whether opening a connection is worth another try: nobody answers yet, or the server is full or ending.</summary>
    public static bool WhenConnecting(Exception exception) => exception switch
    {
        TimeoutRejectedException => true,
        MySqlException refused when IsAccessDenied(refused) || IsNotVerified(refused) => false,
        MySqlException database => IsLost(database) || Sql.IsFull(database),
        _ => IsLost(exception),
    };

    /// <summary>Whether a statement that only reads is worth another try: the connection broke, or others hold what it needs.</summary>
    public static bool WhenInspecting(Exception exception) => exception switch
    {
        TimeoutRejectedException => true,
        MySqlException { ErrorCode: MySqlErrorCode.LockDeadlock or MySqlErrorCode.LockWaitTimeout } => true,
        _ => WhenConnecting(exception),
    };

    /// <summary>
    /// Whether a change is worth another try, which begins by undoing what the last one did: the server went away, or
    /// Flask met something that passes by itself.
    /// </summary>
    public static bool WhenChanging(Exception exception) =>
        exception is LockLostException or FlaskException { IsTransient: true } || WhenInspecting(exception);

    /// <summary>
    /// Whether what a Flask command printed when it failed says that its database went away or was busy. Anything else
    /// that Python reports, a traceback above all, is permanent.
    /// </summary>
    public static bool InFlaskOutput(string output) => TransientDriverError().IsMatch(output);

    /// <summary>Whether the engine's answer to <c>docker exec</c> says that it is busy or that the container is about to run.</summary>
    public static bool InEngineOutput(string output) => TransientEngineError().IsMatch(output);

    /// <summary>Whether the server refuses who asks: the wrong password, an unknown user, or no rights on the database.</summary>
    public static bool IsAccessDenied(MySqlException exception) =>
        exception.ErrorCode is MySqlErrorCode.AccessDenied or MySqlErrorCode.DatabaseAccessDenied
            || (int)exception.ErrorCode == AccessDeniedNoPassword;

    /// <summary>Whether the server does not prove who it is, or does not speak TLS at all, where it has to.</summary>
    public static bool IsNotVerified(Exception exception) =>
        exception is AuthenticationException
            || (exception is MySqlException && exception.Message.Contains("SSL", StringComparison.Ordinal))
            || (exception.InnerException is { } inner && IsNotVerified(inner));

    private static bool IsLost(Exception exception) => exception switch
    {
        MySqlException database => database.ErrorCode is MySqlErrorCode.UnableToConnectToHost or MySqlErrorCode.ServerShutdown
            || (int)database.ErrorCode is ServerGone or ServerLost or ConnectionKilled or ShutdownInProgress
            // MySqlConnector reports a connection that breaks without a packet of the server as an error without number.
            || (database.Number is 0 or -1 or -2 && (database.InnerException is null || IsLost(database.InnerException))),
        SocketException or IOException or TimeoutException => true,
        _ => false,
    };

    // PyMySQL prints errors as (number, 'text').
    [GeneratedRegex(@"\(\s*(1040|1053|1203|1205|1213|1226|1927|2002|2003|2006|2013)\s*,")]
    private static partial Regex TransientDriverError();

    [GeneratedRegex("Cannot connect to the Docker daemon|is restarting, wait until|is not running|connection reset by peer|TLS handshake "
        + "timeout|i/o timeout|context deadline exceeded", RegexOptions.IgnoreCase)]
    private static partial Regex TransientEngineError();
}
