namespace UvlhubAspire.Runner.Database;

/// <summary>A statement and its answer in one call. Values are parameters; a name that cannot be one is quoted by the caller.</summary>
internal static class Sql
{
    /// <summary>Keeps a connection that has nothing to do: a server may end such ones after a minute.</summary>
    public const string StayConnected = "SET SESSION wait_timeout = 28800";

    /// <summary>Whether what was asked for is not there yet: a table, or its whole database.</summary>
    public static bool IsNotThere(MySqlException exception) =>
        exception.ErrorCode is MySqlErrorCode.NoSuchTable or MySqlErrorCode.UnknownDatabase;

    /// <summary>Whether the server lets nobody in just now, or not so many connections of one user.</summary>
    public static bool IsFull(MySqlException exception) => exception.ErrorCode is
        MySqlErrorCode.TooManyUserConnections or MySqlErrorCode.UserLimitReached or MySqlErrorCode.ConnectionCountError;

    /// <summary>Runs a statement that has no answer.</summary>
    /// <returns>The number that the row got, if it inserted one into a table that numbers them.</returns>
    public static async Task<long> ExecuteAsync(
        this MySqlConnection connection, string sql, CancellationToken cancellationToken, params (string, object?)[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return command.LastInsertedId;
    }

    public static async Task<List<object[]>> RowsAsync(
        this MySqlConnection connection, string sql, CancellationToken cancellationToken, params (string, object?)[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<object[]> rows = [];
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }

        return rows;
    }

    /// <summary>The first column of a query.</summary>
    public static async Task<List<string>> TextsAsync(
        this MySqlConnection connection, string sql, CancellationToken cancellationToken, params (string, object?)[] parameters) =>
        (await connection.RowsAsync(sql, cancellationToken, parameters)).ConvertAll(row => (string)row[0]);

    /// <summary>The first value of a query as a number; <see langword="null"/> if there is none.</summary>
    public static async Task<long?> NumberAsync(
        this MySqlConnection connection, string sql, CancellationToken cancellationToken, params (string, object?)[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteScalarAsync(cancellationToken) is { } value and not DBNull ? Convert.ToInt64(value, null) : null;
    }

    private static MySqlCommand Command(MySqlConnection connection, string sql, (string Name, object? Value)[] parameters)
    {
        var command = new MySqlCommand(sql, connection);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return command;
    }

    /// <summary>Creates an empty database with the character set and collation of another one.</summary>
    public static async Task CreateDatabaseAsync(
        this MySqlConnection connection, string name, string like, CancellationToken cancellationToken)
    {
        var row = (await connection.RowsAsync(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @like",
            cancellationToken,
            ("@like", like)))[0];
        await connection.ExecuteAsync(
            $"CREATE DATABASE {MariaDBStatements.QuoteIdentifier(name)} CHARACTER SET {row[0]} COLLATE {row[1]}", cancellationToken);
    }
}
