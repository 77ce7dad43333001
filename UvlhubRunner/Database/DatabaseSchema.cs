namespace UvlhubAspire.Runner.Database;

/// <summary>
/// A schema as far as an application notices it. Names of indexes and constraints and the order of columns are left out:
/// they differ between tables that <c>create_all()</c> made and tables that revisions made, and nothing depends on them.
/// </summary>
/// <param name="Tables">
/// What each table has: a column with its type, collation, nullability, default and extras; or an engine, an index, a foreign
/// key, a check.
/// </param>
internal sealed record DatabaseSchema(IReadOnlyDictionary<string, Dictionary<string, string?>> Tables)
{
    private static readonly string s_columns = $"""
        SELECT TABLE_NAME, COLUMN_NAME, CONCAT(COLUMN_TYPE,
            IF(COLLATION_NAME IS NULL, '', CONCAT(' ', COLLATION_NAME)),
            IF(IS_NULLABLE = 'NO', ' NOT NULL', ''),
            IF(COLUMN_DEFAULT IS NULL OR COLUMN_DEFAULT = 'NULL', '', CONCAT(' DEFAULT ', COLUMN_DEFAULT)),
            IF(EXTRA = '', '', CONCAT(' ', EXTRA)))
        FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = @database AND TABLE_NAME <> '{UvlhubDatabase.VersionTable}' AND {OwnTables.AreNot("TABLE_NAME")}
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

    private const string Engines = $"""
        SELECT TABLE_NAME, CONCAT('engine ', ENGINE) FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = @database AND ENGINE IS NOT NULL AND TABLE_NAME <> '{UvlhubDatabase.VersionTable}'
        """;

    private const string Checks = """
        SELECT TABLE_NAME, CONCAT('check (', CHECK_CLAUSE, ')') FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = @database
        """;

    public static async Task<DatabaseSchema> ReadAsync(MySqlConnection connection, string database, CancellationToken cancellationToken)
    {
        Dictionary<string, Dictionary<string, string?>> tables = new(StringComparer.Ordinal);
        foreach (var row in await connection.RowsAsync(s_columns, cancellationToken, ("@database", database)))
        {
            var (table, column, type) = ((string)row[0], (string)row[1], (string)row[2]);
            tables.TryAdd(table, new(StringComparer.Ordinal));
            tables[table][$"column {table}.{column}"] = type;
        }

        foreach (var query in new[] { Engines, Indexes, ForeignKeys, Checks })
        {
            foreach (var row in await connection.RowsAsync(query, cancellationToken, ("@database", database)))
            {
                var table = (string)row[0];
                tables.GetValueOrDefault(table)?.TryAdd($"{table}: {row[1]}", null);
            }
        }

        return new DatabaseSchema(tables);
    }

    /// <summary>How this schema differs from the one that it should be; empty if it does not.</summary>
    public IReadOnlyList<string> DifferencesFrom(DatabaseSchema expected) =>
    [
        .. expected.Tables.Keys.Union(Tables.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal).SelectMany(table =>
            (expected.Tables.GetValueOrDefault(table), Tables.GetValueOrDefault(table)) switch
            {
                (not null, null) => [$"table {table} is missing"],
                (null, _) => [$"table {table} is not in the checkout's migrations"],
                var (should, actual) => Differences(should, actual),
            }),
    ];

    private static IEnumerable<string> Differences(Dictionary<string, string?> expected, Dictionary<string, string?> actual) =>
        expected.Keys.Union(actual.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(item =>
            !actual.TryGetValue(item, out var type) ? $"{item}{Shown(expected[item])} is missing"
            : !expected.TryGetValue(item, out var should) ? $"{item}{Shown(type)} is not in the checkout's migrations"
            : type != should ? $"{item} is {type}, it should be {should}"
            : null).OfType<string>();

    private static string Shown(string? type) => type is null ? "" : $" ({type})";
}
