namespace UvlhubAspire.Runner.Database;

/// <summary>
/// Everything that a database holds but the runner's own (<see cref="OwnTables"/>), to be dropped one by one: the database itself keeps
/// its grants and its collation.
/// </summary>
internal static class DatabaseObjects
{
    // A trigger goes with its table.
    private static readonly string s_all = $"""
        SELECT CASE TABLE_TYPE WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END, TABLE_NAME
            FROM information_schema.TABLES WHERE TABLE_SCHEMA = @database AND {OwnTables.AreNot("TABLE_NAME")}
        UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = @database
        UNION ALL SELECT 'EVENT', EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = @database
        """;

    public static async Task DropAsync(MySqlConnection connection, string database, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync("SET SESSION foreign_key_checks = 0", cancellationToken);
        foreach (var row in await connection.RowsAsync(s_all, cancellationToken, ("@database", database)))
        {
            var (kind, name) = ((string)row[0], (string)row[1]);
            await connection.ExecuteAsync(
                $"DROP {kind} IF EXISTS {MariaDBStatements.QuoteIdentifier(database)}.{MariaDBStatements.QuoteIdentifier(name)}",
                cancellationToken);
        }

        await connection.ExecuteAsync("SET SESSION foreign_key_checks = 1", cancellationToken);
    }
}
