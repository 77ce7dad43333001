using System.Globalization;
using System.Text;
using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// What <c>mariadb-dump</c> loses: it writes a <c>FLOAT</c> with six digits, so that 16777216 comes back as 16777200
/// (https://mariadb.com/docs/server/reference/data-types/numeric-data-types/float). SQLAlchemy's <c>Float</c> is that
/// type. For each row that a dump would change, this writes a statement that sets the exact values after loading.
/// </summary>
internal sealed class ExactFloats(ContentReader reader, MySqlConnection connection)
{
    private const int FlushLength = 64 * 1024;

    private static readonly string[] s_numbers = ["tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double", "year", "bit"];
    private static readonly string[] s_bytes = ["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"];

    /// <summary>Tables whose rows a dump would change and that have no key to write the exact values back by.</summary>
    public async Task<IReadOnlyList<string>> TablesWithoutKeyAsync(CancellationToken cancellationToken)
    {
        List<string> tables = [];
        foreach (var table in await ReadTablesAsync(cancellationToken))
        {
            if (!table.HasKey && await HasRoundedAsync(table, cancellationToken))
            {
                tables.Add(table.Name);
            }
        }

        return tables;
    }

    /// <summary>Writes the statements.</summary>
    /// <param name="write">Takes them, as UTF-8.</param>
    /// <returns>How many rows were written.</returns>
    public async Task<long> WriteAsync(Func<ReadOnlyMemory<byte>, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var rows = 0L;
        foreach (var table in await ReadTablesAsync(cancellationToken))
        {
            if (table.HasKey && await HasRoundedAsync(table, cancellationToken))
            {
                rows += await WriteTableAsync(table, write, cancellationToken);
            }
        }

        return rows;
    }

    private async Task<long> WriteTableAsync(
        FloatTable table, Func<ReadOnlyMemory<byte>, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var text = new StringBuilder()
            .Append("\n--\n-- Exact values of FLOAT columns, which a dump rounds\n--\n\n")
            .Append("SET @OLD_TIME_ZONE=@@TIME_ZONE, TIME_ZONE='+00:00';\nSET @OLD_AUTOCOMMIT=@@AUTOCOMMIT, @@AUTOCOMMIT=0;\n");
        var rows = 0L;
        // As the statements will read it: a key may be a TIMESTAMP.
        await reader.ExecuteAsync("SET time_zone = '+00:00'", cancellationToken);
        var columns = table.Key.Select(key => key.AsLiteral)
            .Concat(table.Floats.Select(name => $"CAST({MariaDBStatements.QuoteIdentifier(name)} AS DOUBLE)"));
        await using (var command = new MySqlCommand(
            $"SELECT {string.Join(", ", columns)} FROM {reader.Qualified(table.Name)} WHERE {table.IsRounded}", connection))
        await using (var data = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await data.ReadAsync(cancellationToken))
            {
                rows++;
                text.Append(Update(table, data));
                if (text.Length > FlushLength)
                {
                    await write(Encoding.UTF8.GetBytes(text.ToString()), cancellationToken);
                    text.Clear();
                }
            }
        }

        text.Append("COMMIT;\nSET AUTOCOMMIT=@OLD_AUTOCOMMIT, TIME_ZONE=@OLD_TIME_ZONE;\n");
        await write(Encoding.UTF8.GetBytes(text.ToString()), cancellationToken);
        return rows;
    }

    private static string Update(FloatTable table, MySqlDataReader data)
    {
        var values = table.Floats.Select((name, index) => $"{MariaDBStatements.QuoteIdentifier(name)}={Exact(table.Key.Count + index)}")
            .Concat(table.SelfUpdating.Select(MariaDBStatements.QuoteIdentifier).Select(name => $"{name}={name}"));
        var key = table.Key.Select((column, index) => $"{MariaDBStatements.QuoteIdentifier(column.Name)}={data.GetString(index)}");
        return $"UPDATE {MariaDBStatements.QuoteIdentifier(table.Name)} SET {string.Join(", ", values)} "
            + $"WHERE {string.Join(" AND ", key)};\n";

        // Seventeen digits name a DOUBLE exactly, and each FLOAT is one.
        string Exact(int ordinal) =>
            data.IsDBNull(ordinal) ? "NULL" : data.GetDouble(ordinal).ToString("E16", CultureInfo.InvariantCulture);
    }

    private async Task<bool> HasRoundedAsync(FloatTable table, CancellationToken cancellationToken) =>
        (
            await reader.RowsAsync(
                $"SELECT 1 FROM {reader.Qualified(table.Name)}{(table.IsVersioned ? " FOR SYSTEM_TIME ALL" : "")} "
                + $"WHERE {table.IsRounded} LIMIT 1",
                cancellationToken)).Count > 0;

    private async Task<List<FloatTable>> ReadTablesAsync(CancellationToken cancellationToken)
    {
        var columns = await reader.RowsAsync(
            $"""
            SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_KEY, c.EXTRA, COALESCE(c.GENERATION_EXPRESSION, ''),
                t.TABLE_TYPE = 'SYSTEM VERSIONED'
            FROM information_schema.COLUMNS c JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
            WHERE c.TABLE_SCHEMA = @database AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND {OwnTables.AreNot("c.TABLE_NAME")}
                AND c.TABLE_NAME IN (SELECT TABLE_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = @database AND DATA_TYPE = 'float')
            ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION
            """,
            cancellationToken);
        // A rounded value inside a unique key could collide with another one before it is exact again.
        var unique = (await reader.RowsAsync(
            """
            SELECT DISTINCT s.TABLE_NAME FROM information_schema.STATISTICS s
            JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME
            WHERE s.TABLE_SCHEMA = @database AND s.NON_UNIQUE = 0 AND c.DATA_TYPE = 'float'
            """,
            cancellationToken)).Select(row => (string)row[0]).ToHashSet(StringComparer.Ordinal);
        return [.. columns
            .Select(row => (
                Table: (string)row[0], Name: (string)row[1], Type: (string)row[2], IsPrimary: (string)row[3] == "PRI",
                IsSelfUpdating: ((string)row[4]).Contains("on update", StringComparison.OrdinalIgnoreCase),
                IsGenerated: (string)row[5] != "", IsVersioned: Convert.ToInt64(row[6], CultureInfo.InvariantCulture) != 0))
            .GroupBy(column => column.Table, StringComparer.Ordinal)
            .Select(group => new FloatTable(
                group.Key,
                // An UPDATE of a versioned table would add to its history.
                [.. group.Where(column => column.IsPrimary && !column.IsVersioned && !unique.Contains(group.Key))
                    .Select(column => new KeyColumn(column.Name, Literal(column.Name, column.Type)))],
                [.. group.Where(column => column.Type == "float" && !column.IsGenerated).Select(column => column.Name)],
                [.. group.Where(column => column.IsSelfUpdating).Select(column => column.Name)],
                group.First().IsVersioned))
            .Where(table => table.Floats.Count > 0)];
    }

    private static string Literal(string column, string type)
    {
        var name = MariaDBStatements.QuoteIdentifier(column);
        return s_numbers.Contains(type, StringComparer.OrdinalIgnoreCase) ? $"CAST({name} + 0 AS CHAR)"
            : s_bytes.Contains(type, StringComparer.OrdinalIgnoreCase) ? $"""CONCAT('X''', HEX({name}), '''')"""
            : $"""CONCAT('_utf8mb4 X''', HEX(CONVERT({name} USING utf8mb4)), '''')""";
    }

    private sealed record KeyColumn(string Name, string AsLiteral);

    private sealed record FloatTable(
        string Name, IReadOnlyList<KeyColumn> Key, IReadOnlyList<string> Floats, IReadOnlyList<string> SelfUpdating, bool IsVersioned)
    {
        public bool HasKey => Key.Count > 0;

        public string IsRounded => string.Join(" OR ", Floats.Select(name =>
        {
            var column = MariaDBStatements.QuoteIdentifier(name);
            return $"CAST(CAST({column} AS CHAR) AS FLOAT) <> {column}";
        }));
    }
}
