using System.Net.Sockets;
using Polly.Timeout;

namespace UvlhubAspire.Runner.Resilience;

/// <summary>A failure in one line, in the words of what failed rather than of the library that reports it.</summary>
internal static class CauseText
{
    private const string NobodyListens = "nothing listens there yet";

    /// <summary>The line; it never holds a connection string.</summary>
    public static string Of(Exception exception) => exception switch
    {
        TimeoutRejectedException timeout => $"no answer within {timeout.Timeout.TotalSeconds:0.#} s",
        MySqlException { InnerException: { } inner } when Innermost(inner) is SocketException socket => Of(socket),
        MySqlException { InnerException: { } inner } when Innermost(inner) is EndOfStreamException => "the server closed the connection",
        // MySqlConnector keeps the refusal to itself.
        MySqlException { ErrorCode: MySqlErrorCode.UnableToConnectToHost, InnerException: null } refused when refused.Message.StartsWith(
            "Unable to connect", StringComparison.Ordinal) => NobodyListens,
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => NobodyListens,
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain } => "the host's name is not known",
        _ => exception.Message.ReplaceLineEndings(" ").Trim(),
    };

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }
}
