using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.TestSupport;

/// <summary>
/// All that is in a database, in MariaDB's own words, one line for each thing: rows, columns, keys, counters, views,
/// programs. Two lists are equal only if the databases are. It asks nothing of the product, whose own comparison
/// (counts, <c>CHECKSUM TABLE</c>, <c>SHOW CREATE TABLE</c>) the tests are to judge.
/// </summary>
public static class DatabaseContents
{
    // Longer than what a person wants to read in a difference.
    private const int LongestValue = 200;
    private const int ShownOfLongValue = 40;

    // What describes an object in information_schema: the view, and its columns with the schema's and the object's name.
    private static readonly (string View, string Schema, string Name)[] s_descriptions =
    [
        ("SCHEMATA", "SCHEMA_NAME", "SCHEMA_NAME"),
        ("TABLES", "TABLE_SCHEMA", "TABLE_NAME"),
        ("COLUMNS", "TABLE_SCHEMA", "TABLE_NAME"),
        ("STATISTICS", "TABLE_SCHEMA", "TABLE_NAME"),
        ("PARTITIONS", "TABLE_SCHEMA", "TABLE_NAME"),
        ("TABLE_CONSTRAINTS", "TABLE_SCHEMA", "TABLE_NAME"),
        ("KEY_COLUMN_USAGE", "TABLE_SCHEMA", "TABLE_NAME"),
        ("REFERENTIAL_CONSTRAINTS", "CONSTRAINT_SCHEMA", "TABLE_NAME"),
        ("CHECK_CONSTRAINTS", "CONSTRAINT_SCHEMA", "TABLE_NAME"),
        ("VIEWS", "TABLE_SCHEMA", "TABLE_NAME"),
        ("TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME"),
        ("ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME"),
        ("PARAMETERS", "SPECIFIC_SCHEMA", "SPECIFIC_NAME"),
        ("EVENTS", "EVENT_SCHEMA", "EVENT_NAME"),
    ];

    // When a thing was made and how much room it takes may differ after a restore; what a user may do is no content.
    private static readonly HashSet<string> s_leftOut =
    [
        "CREATE_TIME", "UPDATE_TIME", "CHECK_TIME", "CREATED", "LAST_ALTERED", "LAST_EXECUTED", "TABLE_ROWS",
        "AVG_ROW_LENGTH", "DATA_LENGTH", "MAX_DATA_LENGTH", "INDEX_LENGTH", "MAX_INDEX_LENGTH", "DATA_FREE", "CHECKSUM", "CARDINALITY",
        "PRIVILEGES",
    ];

    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Everything: the schema, and every row of every table.</summary>
    /// <param name="connectionString">A connection to the database; as root, it sees the programs of all users.</param>
    public static async Task<IReadOnlyList<string>> ReadAsync(string connectionString)
    {
        await using var connection = await OpenAsync(connectionString);
        return [.. await SchemaAsync(connection), .. (await RowsAsync(connection)).SelectMany(table => table.Rows)];
    }

    /// <summary>The schema, with all counters and programs, and without the rows.</summary>
    public static async Task<IReadOnlyList<string>> ReadSchemaAsync(string connectionString)
    {
        await using var connection = await OpenAsync(connectionString);
        return await SchemaAsync(connection);
    }

    /// <summary>How many rows each table has: for two databases whose rows were made at different times.</summary>
    public static async Task<IReadOnlyList<string>> CountRowsAsync(string connectionString)
    {
        await using var connection = await OpenAsync(connectionString);
        return [.. (await RowsAsync(connection)).Select(table => $"{table.Name}: {table.Rows.Count}")];
    }

    /// <summary>In what two differ, for a message: what only the first has with a minus, what only the second has with a plus.</summary>
    public static string Difference(IReadOnlyList<string> before, IReadOnlyList<string> after)
    {
        const int Shown = 5;
        string[] missing = [.. before.Except(after, StringComparer.Ordinal)];
        string[] added = [.. after.Except(before, StringComparer.Ordinal)];
        return $"{missing.Length} lines are missing, {added.Length} are new\n"
            + string.Join('\n', [.. missing.Take(Shown).Select(line => $"- {line}"), .. added.Take(Shown).Select(line => $"+ {line}")]);
    }

    private static async Task<MySqlConnection> OpenAsync(string connectionString)
    {
        var builder = new MySqlConnectionStringBuilder(connectionString) { Pooling = false, AllowZeroDateTime = true };
        var connection = new MySqlConnection(builder.ConnectionString);
        await connection.OpenAsync(Cancellation);
        // A TIMESTAMP is shown in the session's time zone.
        await using var zone = new MySqlCommand("SET time_zone = '+00:00'", connection);
        await zone.ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    private static async Task<List<string>> SchemaAsync(MySqlConnection connection)
    {
        List<string> lines = [];
        foreach (var (view, schema, name) in s_descriptions)
        {
            await using var command = new MySqlCommand($"SELECT * FROM information_schema.{view} WHERE {schema} = DATABASE()", connection);
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            while (await reader.ReadAsync(Cancellation))
            {
                var facts = Enumerable.Range(0, reader.FieldCount)
                    .Where(column => !s_leftOut.Contains(reader.GetName(column)) && !reader.IsDBNull(column))
                    .Select(column => $"{reader.GetName(column)}={Text(reader, column)}");
                lines.Add($"{reader.GetString(name)}: {view} {string.Join(' ', facts)}");
            }
        }

        lines.Sort(StringComparer.Ordinal);
        return lines;
    }

    // A sequence is a table here: its row says what comes next.
    private static async Task<List<(string Name, List<string> Rows)>> RowsAsync(MySqlConnection connection)
    {
        var columns = await ColumnsAsync(connection);
        List<(string Name, List<string> Rows)> tables = [];
        foreach (var (name, type, hasPeriod) in await TablesAsync(connection))
        {
            var (selected, from) = type switch
            {
                "SEQUENCE" => ("*", Quoted(name)),
                "SYSTEM VERSIONED" when hasPeriod => (columns[name], $"{Quoted(name)} FOR SYSTEM_TIME ALL"),
                // The period is no column where the table does not name it.
                "SYSTEM VERSIONED" =>
                    ($"{columns[name]}, CAST(ROW_START AS CHAR), CAST(ROW_END AS CHAR)", $"{Quoted(name)} FOR SYSTEM_TIME ALL"),
                _ => (columns[name], Quoted(name)),
            };
            await using var command = new MySqlCommand($"SELECT {selected} FROM {from}", connection);
            await using var reader = await command.ExecuteReaderAsync(Cancellation);
            List<string> rows = [];
            while (await reader.ReadAsync(Cancellation))
            {
                rows.Add($"{name}: row {string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(column => Text(reader, column)))}");
            }

            rows.Sort(StringComparer.Ordinal);
            tables.Add((name, rows));
        }

        return tables;
    }

    private static async Task<List<(string Name, string Type, bool HasPeriod)>> TablesAsync(MySqlConnection connection)
    {
        await using var command = new MySqlCommand(
            """
            SELECT t.TABLE_NAME, t.TABLE_TYPE, EXISTS (
                SELECT 1 FROM information_schema.COLUMNS c
                WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = t.TABLE_NAME AND c.GENERATION_EXPRESSION = 'ROW START')
            FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE <> 'VIEW' ORDER BY 1
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        List<(string, string, bool)> tables = [];
        while (await reader.ReadAsync(Cancellation))
        {
            tables.Add((reader.GetString(0), reader.GetString(1), reader.GetInt64(2) != 0));
        }

        return tables;
    }

    // What to select of each table: every column, invisible ones too, as text that no value shares with another one.
    private static async Task<Dictionary<string, string>> ColumnsAsync(MySqlConnection connection)
    {
        await using var command = new MySqlCommand(
            """
            SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS
            WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1, ORDINAL_POSITION
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        List<(string Table, string Selected)> columns = [];
        while (await reader.ReadAsync(Cancellation))
        {
            columns.Add((reader.GetString(0), AsText(Quoted(reader.GetString(1)), reader.GetString(2))));
        }

        return columns.GroupBy(column => column.Table, StringComparer.Ordinal)
            .ToDictionary(table => table.Key, table => string.Join(", ", table.Select(column => column.Selected)), StringComparer.Ordinal);
    }

    private static string AsText(string column, string type) => type switch
    {
        "char" or "varchar" or "tinytext" or "text" or "mediumtext" or "longtext" or "set" or "json" => column,
        // '' is a value as well as what stands for a wrong one.
        "enum" => $"CONCAT({column} + 0, '=', {column})",
        // MariaDB rounds a FLOAT that it shows.
        "float" => $"CAST(CAST({column} AS DOUBLE) AS CHAR)",
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" or "decimal" or "double" or "year"
            or "date" or "time" or "datetime" or "timestamp" or "uuid" or "inet4" or "inet6" => $"CAST({column} AS CHAR)",
        _ => $"HEX({column})",
    };

    // In quotes, so that no value runs into the next one, and NULL is not 'NULL'.
    private static string Text(MySqlDataReader reader, int column)
    {
        if (reader.IsDBNull(column))
        {
            return "NULL";
        }

        var text = JsonSerializer.Serialize(Convert.ToString(reader.GetValue(column), CultureInfo.InvariantCulture), s_readable);
        var hash = text.Length > LongestValue ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))) : "";
        return text.Length > LongestValue ? $"{text[..ShownOfLongValue]}… ({text.Length} characters, SHA-256 {hash})" : text;
    }

    private static string Quoted(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";
}
