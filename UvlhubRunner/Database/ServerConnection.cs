using System.Globalization;

namespace UvlhubAspire.Runner.Database;

/// <summary>A connection to the server as its list of processes has it.</summary>
/// <param name="Seconds">For how long it has been doing what it does.</param>
/// <param name="Statement">The statement that it runs, shortened; <see langword="null"/> if it runs none.</param>
internal sealed record ServerConnection(long Id, string User, string Host, long Seconds, string? Statement)
{
    /// <summary>
    /// The connections to a database, and all of its user's, but the one that asks; only the asking user's own where that
    /// one may not see others.
    /// </summary>
    /// <param name="user">The user whose statements may name the database, whatever its connections are to. Default: nobody.</param>
    public static Task<IReadOnlyList<ServerConnection>> OthersAsync(
        MySqlConnection connection, string database, CancellationToken cancellationToken, string user = "") =>
        ReadAsync(
            connection, "(DB = @of OR USER = @user) AND ID <> CONNECTION_ID() ORDER BY TIME DESC", database, cancellationToken, user);

    /// <summary>The connection that holds a lock of <c>GET_LOCK</c>; <see langword="null"/> if none does.</summary>
    public static async Task<ServerConnection?> HolderAsync(
        MySqlConnection connection, string name, CancellationToken cancellationToken) =>
        (await ReadAsync(connection, "ID = IS_USED_LOCK(@of)", name, cancellationToken)) is [var holder] ? holder : null;

    public override string ToString() => $"connection {Id} of {User} from {Host}";

    private static async Task<IReadOnlyList<ServerConnection>> ReadAsync(
        MySqlConnection connection, string condition, string of, CancellationToken cancellationToken, string user = "")
    {
        var rows = await connection.RowsAsync(
            $"""
            SELECT ID, USER, HOST, TIME, IF(COMMAND = 'Sleep', NULL, LEFT(REPLACE(INFO, '\n', ' '), 120)), STATE, PROGRESS
            FROM information_schema.PROCESSLIST WHERE {condition}
            """,
            cancellationToken,
            ("@of", of), ("@user", user));
        return [.. rows.Select(row => new ServerConnection(
            Convert.ToInt64(row[0], null), (string)row[1], (string)row[2], Convert.ToInt64(row[3] is DBNull ? 0 : row[3], null),
            row[4] is string statement ? $"{statement} ({row[5]}{Progress(Convert.ToDouble(row[6], null))})" : null))];
    }

    private static string Progress(double percent) =>
        percent > 0 ? string.Create(CultureInfo.InvariantCulture, $", {percent:0} %") : "";
}
