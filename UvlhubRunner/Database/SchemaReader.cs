using MySqlConnector;

namespace UvlhubAspire.Runner.Database;

/// <summary>Reads a <see cref="DatabaseSchema"/> from <c>information_schema</c>.</summary>
internal static class SchemaReader
{
    private const string Columns = $"""
        SELECT TABLE_NAME, COLUMN_NAME, CONCAT(COLUMN_TYPE,
            IF(CHARACTER_SET_NAME IS NULL OR CHARACTER_SET_NAME = 'utf8mb4', '', CONCAT(' ', CHARACTER_SET_NAME)),
            IF(IS_NULLABLE = 'NO', ' NOT NULL', ''),
            IF(COLUMN_DEFAULT IS NULL OR COLUMN_DEFAULT = 'NULL', '', CONCAT(' DEFAULT ', COLUMN_DEFAULT)),
            IF(EXTRA = '', '', CONCAT(' ', EXTRA)))
        FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = @database AND TABLE_NAME <> '{UvlhubDatabase.VersionTable}'
        """;

    private const string Indexes = $"""
        SELECT TABLE_NAME, CONCAT(
            CASE WHEN INDEX_NAME = 'PRIMARY' THEN 'primary key' WHEN NON_UNIQUE = 0 THEN 'unique index' WHEN INDEX_TYPE = 'BTREE' THEN 'index' ELSE CONCAT(LOWER(INDEX_TYPE), ' index') END,
            ' (', GROUP_CONCAT(COLUMN_NAME, IF(SUB_PART IS NULL, '', CONCAT('(', SUB_PART, ')')) ORDER BY SEQ_IN_INDEX SEPARATOR ', '), ')')
        FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = @database AND TABLE_NAME <> '{UvlhubDatabase.VersionTable}'
        GROUP BY TABLE_NAME, INDEX_NAME, NON_UNIQUE, INDEX_TYPE
        """;

    private const string ForeignKeys = """
        SELECT k.TABLE_NAME, CONCAT('foreign key (', GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), ') to ', k.REFERENCED_TABLE_NAME,
            ' (', GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION SEPARATOR ', '), ')',
            ' on delete ', LOWER(r.DELETE_RULE), ' on update ', LOWER(r.UPDATE_RULE))
        FROM information_schema.KEY_COLUMN_USAGE k
        JOIN information_schema.REFERENTIAL_CONSTRAINTS r
          ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
        WHERE k.TABLE_SCHEMA = @database AND k.REFERENCED_TABLE_NAME IS NOT NULL
        GROUP BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE
        """;

    private const string Checks = """
        SELECT TABLE_NAME, CONCAT('check (', CHECK_CLAUSE, ')') FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = @database
        """;

    public static async Task<DatabaseSchema> ReadAsync(MySqlConnection connection, string database, CancellationToken cancellationToken)
    {
        Dictionary<string, (Dictionary<string, string> Columns, HashSet<string> Constraints)> tables = new(StringComparer.Ordinal);
        foreach (var row in await connection.RowsAsync(Columns, cancellationToken, ("@database", database)))
        {
            var name = (string)row[0];
            if (!tables.TryGetValue(name, out var table))
            {
                tables[name] = table = (new(StringComparer.Ordinal), new(StringComparer.Ordinal));
            }

            table.Columns[(string)row[1]] = (string)row[2];
        }

        foreach (var query in new[] { Indexes, ForeignKeys, Checks })
        {
            foreach (var row in await connection.RowsAsync(query, cancellationToken, ("@database", database)))
            {
                if (tables.TryGetValue((string)row[0], out var table))
                {
                    table.Constraints.Add((string)row[1]);
                }
            }
        }

        return new DatabaseSchema(tables.ToDictionary(
            table => table.Key, table => new TableSchema(table.Value.Columns, table.Value.Constraints), StringComparer.Ordinal));
    }
}
