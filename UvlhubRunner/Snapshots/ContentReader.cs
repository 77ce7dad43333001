using System.Globalization;
using System.Text.RegularExpressions;
using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>Reads the content of a database in figures, over one connection and so in its transaction's view.</summary>
internal sealed partial class ContentReader(MySqlConnection connection, string database)
{
    /// <summary>The table that stands in a database while a restore of it is not finished; no content counts it.</summary>
    public const string UnfinishedRestoreTable = $"{OwnTables.Prefix}restore";

    // What a database holds beside its tables, whose it is, and what it does: a sequence belongs to nobody, and its next
    // value is asked of itself.
    private static readonly string s_objects = $"""
        SELECT 'VIEW' AS kind, TABLE_NAME AS name, DEFINER AS definer,
            CONCAT_WS('\n', VIEW_DEFINITION, CHECK_OPTION, SECURITY_TYPE, ALGORITHM, DEFINER) AS definition
            FROM information_schema.VIEWS WHERE TABLE_SCHEMA = @database AND {OwnTables.AreNot("TABLE_NAME")}
        UNION ALL SELECT 'SEQUENCE', TABLE_NAME, NULL, NULL FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = @database AND TABLE_TYPE = 'SEQUENCE'
        UNION ALL SELECT 'TRIGGER', TRIGGER_NAME, DEFINER,
            CONCAT_WS('\n', EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, ACTION_STATEMENT, SQL_MODE, DEFINER)
            FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = @database
        UNION ALL SELECT ROUTINE_TYPE, ROUTINE_NAME, DEFINER,
            CONCAT_WS('\n', DTD_IDENTIFIER, ROUTINE_DEFINITION, SQL_DATA_ACCESS, IS_DETERMINISTIC, SECURITY_TYPE, SQL_MODE, DEFINER, (
                SELECT GROUP_CONCAT(CONCAT_WS(' ', PARAMETER_MODE, PARAMETER_NAME, p.DTD_IDENTIFIER) ORDER BY ORDINAL_POSITION)
                FROM information_schema.PARAMETERS p
                WHERE SPECIFIC_SCHEMA = @database AND SPECIFIC_NAME = ROUTINE_NAME AND p.ROUTINE_TYPE = r.ROUTINE_TYPE))
            FROM information_schema.ROUTINES r WHERE ROUTINE_SCHEMA = @database
        UNION ALL SELECT 'EVENT', EVENT_NAME, DEFINER,
            CONCAT_WS('\n', EVENT_DEFINITION, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, STARTS, ENDS, STATUS, ON_COMPLETION, TIME_ZONE,
                SQL_MODE, DEFINER)
            FROM information_schema.EVENTS WHERE EVENT_SCHEMA = @database
        """;

    public async Task<DatabaseContent> ReadAsync(CancellationToken cancellationToken)
    {
        var schema = await RowAsync(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = @database",
            cancellationToken);
        var names = (await TablesAsync(cancellationToken)).Select(table => table.Name);
        var tables = (await ReadTablesAsync(names, cancellationToken)).Values.OrderBy(table => table.Name, StringComparer.Ordinal);
        return new DatabaseContent(
            (string)schema[0], (string)schema[1], [.. tables], await OthersAsync(cancellationToken),
            await DefinitionsAsync(cancellationToken), await GrantsAsync(cancellationToken));
    }

    /// <summary>What is in some tables, by name.</summary>
    public async Task<IReadOnlyDictionary<string, TableContent>> ReadTablesAsync(
        IEnumerable<string> names, CancellationToken cancellationToken)
    {
        Dictionary<string, TableContent> tables = new(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var quoted = Qualified(name);
            var rows = await NumberAsync($"SELECT COUNT(*) FROM {quoted}", cancellationToken);
            var checksum = (await RowAsync($"CHECKSUM TABLE {quoted}", cancellationToken))[1];
            var structure = await RowAsync($"SHOW CREATE TABLE {quoted}", cancellationToken);
            tables[name] = new TableContent(
                name, rows!.Value, checksum is DBNull ? null : Convert.ToInt64(checksum, CultureInfo.InvariantCulture),
                Digest((string)structure[1]), await SumAsync(name, cancellationToken));
        }

        return tables;
    }

    /// <summary>The runner's own tables and views, which no snapshot has.</summary>
    public async Task<IReadOnlyList<string>> OwnAsync(CancellationToken cancellationToken) =>
        [.. (await RowsAsync(
            $"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = @database AND NOT {OwnTables.AreNot("TABLE_NAME")}",
            cancellationToken)).Select(row => (string)row[0])];

    /// <summary>The tables that hold rows: name, and whether the engine gives a consistent view of them.</summary>
    public async Task<IReadOnlyList<(string Name, bool IsTransactional, bool IsVersioned)>> TablesAsync(CancellationToken cancellationToken)
    {
        var rows = await RowsAsync(
            """
            SELECT TABLE_NAME, COALESCE(ENGINE, '') = 'InnoDB', TABLE_TYPE = 'SYSTEM VERSIONED'
            FROM information_schema.TABLES
            WHERE TABLE_SCHEMA = @database AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
            """,
            cancellationToken);
        return [.. rows
            .Select(row => ((string)row[0], IsTrue(row[1]), IsTrue(row[2])))
            .Where(table => !OwnTables.Has(table.Item1))
            .OrderBy(table => table.Item1, StringComparer.Ordinal)];
    }

    /// <summary>Everything else that a dump holds, in order: <c>VIEW name</c>.</summary>
    public async Task<IReadOnlyList<string>> OthersAsync(CancellationToken cancellationToken) =>
        [.. (await RowsAsync(s_objects, cancellationToken)).Select(row => $"{row[0]} {row[1]}").Order(StringComparer.Ordinal)];

    /// <summary>The rows of <c>alembic_version</c>, in order; <see langword="null"/> if there is no such table.</summary>
    public async Task<IReadOnlyList<string>?> RevisionsAsync(CancellationToken cancellationToken)
    {
        const string version = UvlhubDatabase.VersionTable;
        return (await TablesAsync(cancellationToken)).Any(table => table.Name == version)
            ? [.. (await RowsAsync($"SELECT version_num FROM {Qualified(version)}", cancellationToken))
                .Select(row => (string)row[0]).Order(StringComparer.Ordinal)]
            : null;
    }

    /// <summary>Roughly how many bytes the rows take.</summary>
    public async Task<long> EstimateBytesAsync(CancellationToken cancellationToken) => await NumberAsync(
        $"SELECT SUM(DATA_LENGTH) FROM information_schema.TABLES WHERE TABLE_SCHEMA = @database AND {OwnTables.AreNot("TABLE_NAME")}",
        cancellationToken) ?? 0;

    /// <summary>The longest statement that the server takes, in bytes.</summary>
    public async Task<long> MaximumPacketAsync(CancellationToken cancellationToken) =>
        (await NumberAsync("SELECT @@max_allowed_packet", cancellationToken))!.Value;

    /// <summary>
    /// Views, triggers, routines and events that belong to somebody else than the connection's user, if that user may not
    /// create such: a dump of them could not be loaded again.
    /// </summary>
    public async Task<IReadOnlyList<string>> ForeignDefinersAsync(CancellationToken cancellationToken)
    {
        var foreign = await RowsAsync(
            $"SELECT LOWER(kind), name, definer FROM ({s_objects}) AS objects WHERE BINARY definer <> BINARY CURRENT_USER()",
            cancellationToken);
        return foreign.Count == 0 || await MaySetUserAsync(cancellationToken)
            ? []
            : [.. foreign.Select(row => $"{row[0]} {row[1]} of {row[2]}")];
    }

    /// <summary>One row of a query; <c>@database</c> is the database's name.</summary>
    public async Task<object[]> RowAsync(string sql, CancellationToken cancellationToken) =>
        (await RowsAsync(sql, cancellationToken)) is [var row, ..] ? row : throw new InvalidOperationException($"no row for: {sql}");

    /// <summary>All rows of a query; <c>@database</c> is the database's name.</summary>
    public Task<List<object[]>> RowsAsync(string sql, CancellationToken cancellationToken) =>
        connection.RowsAsync(sql, cancellationToken, ("@database", database));

    /// <summary>One number; <see langword="null"/> if there is none. <c>@database</c> is the database's name.</summary>
    public Task<long?> NumberAsync(string sql, CancellationToken cancellationToken) =>
        connection.NumberAsync(sql, cancellationToken, ("@database", database));

    public Task ExecuteAsync(string sql, CancellationToken cancellationToken) => connection.ExecuteAsync(sql, cancellationToken);

    /// <summary>A name of this database with the database before it, for SQL.</summary>
    public string Qualified(string name) => $"{MariaDBStatements.QuoteIdentifier(database)}.{MariaDBStatements.QuoteIdentifier(name)}";

    private async Task<IReadOnlyDictionary<string, string>> DefinitionsAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, string> definitions = new(StringComparer.Ordinal);
        foreach (var row in await RowsAsync(
            $"SELECT kind, name, SHA2(definition, 256) FROM ({s_objects}) AS objects", cancellationToken))
        {
            definitions[$"{row[0]} {row[1]}"] = (string)row[0] == "SEQUENCE"
                ? string.Join(' ', await RowAsync($"SELECT * FROM {Qualified((string)row[1])}", cancellationToken))
                : row[2] as string ?? "";
        }

        return definitions;
    }

    /// <summary>The rights on single routines as statements; <see langword="null"/> where this user may not read them.</summary>
    public async Task<IReadOnlyList<string>?> GrantsAsync(CancellationToken cancellationToken)
    {
        try
        {
            var rows = await RowsAsync(
                "SELECT Routine_type, Routine_name, User, Host, Proc_priv FROM mysql.procs_priv WHERE Db = @database AND Proc_priv <> ''",
                cancellationToken);
            return [.. rows.Select(row =>
            {
                var rights = ((string)row[4]).Split(',').ToList();
                var mayGive = rights.Remove("Grant");
                return $"GRANT {(rights.Count == 0 ? "USAGE" : string.Join(", ", rights))} ON {row[0]} {Qualified((string)row[1])} TO "
                    + $"{MariaDBStatements.QuoteText((string)row[2])}@{MariaDBStatements.QuoteText((string)row[3])}"
                    + (mayGive ? " WITH GRANT OPTION" : "");
            }).Order(StringComparer.Ordinal)];
        }
        catch (MySqlException exception) when (AccessDenied.IsMissingRight(exception))
        {
            return null;
        }
    }

    // A generated column follows from the others, and the server's own sum takes it as the last statement has left it.
    private async Task<string?> SumAsync(string table, CancellationToken cancellationToken)
    {
        var columns = await connection.RowsAsync(
            """
            SELECT COLUMN_NAME, DATA_TYPE, IS_GENERATED = 'ALWAYS' AND COALESCE(GENERATION_EXPRESSION, '') NOT IN ('ROW START', 'ROW END')
            FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = @database AND TABLE_NAME = @table ORDER BY ORDINAL_POSITION
            """,
            cancellationToken,
            ("@database", database), ("@table", table));
        if (!columns.Exists(column => IsTrue(column[2])))
        {
            return null;
        }

        var values = columns.Where(column => !IsTrue(column[2])).Select(column =>
            $"COALESCE({Text(MariaDBStatements.QuoteIdentifier((string)column[0]), ((string)column[1]).ToLowerInvariant())}, 'NULL')");
        var isVersioned = (await TablesAsync(cancellationToken)).Any(known => known.Name == table && known.IsVersioned);
        return Convert.ToString(
            (await RowAsync(
                $"SELECT COALESCE(SUM(CONV(LEFT(MD5(CONCAT_WS(' ', {string.Join(", ", values)})), 15), 16, 10)), 0) "
                + $"FROM {Qualified(table)}{(isVersioned ? " FOR SYSTEM_TIME ALL" : "")}",
                cancellationToken))[0],
            CultureInfo.InvariantCulture);
    }

    // A value as text that no other one has, in any session.
    private static string Text(string column, string type) => type switch
    {
        "tinyint" or "smallint" or "mediumint" or "int" or "bigint" or "decimal" or "double" or "year" or "date" or "time"
            or "datetime" => $"CAST({column} AS CHAR)",
        "float" => $"CAST(CAST({column} AS DOUBLE) AS CHAR)",
        "timestamp" => $"CAST(UNIX_TIMESTAMP({column}) AS CHAR)",
        "enum" or "bit" => $"CAST({column} + 0 AS CHAR)",
        _ => $"HEX({column})",
    };

    private async Task<bool> MaySetUserAsync(CancellationToken cancellationToken)
    {
        var grants = await RowsAsync("SHOW GRANTS", cancellationToken);
        return grants
            .Select(row => (string)row[0])
            .Select(grant => grant.Split(" ON ", 2))
            .Any(parts => parts is [var privileges, var rest] && rest.StartsWith("*.* ", StringComparison.Ordinal) &&
                (
                    privileges.Contains("ALL PRIVILEGES", StringComparison.Ordinal)
                    || privileges.Contains("SET USER", StringComparison.Ordinal)
                    || privileges.Contains("SUPER", StringComparison.Ordinal)));
    }

    // Keys and constraints may come back in another order, columns may not; the counter is no structure.
    private static string Digest(string createTable)
    {
        var lines = NextNumber().Replace(createTable, "").Split('\n').Select(line => line.TrimEnd(',')).ToList();
        var columns = lines.Where(IsColumn);
        var rest = lines.Where(line => !IsColumn(line)).Order(StringComparer.Ordinal);
        return Names.Digest(string.Join('\n', columns.Concat(rest)), 64);
    }

    private static bool IsColumn(string line) => line.StartsWith("  `", StringComparison.Ordinal);

    private static bool IsTrue(object value) => Convert.ToInt64(value, CultureInfo.InvariantCulture) != 0;

    [GeneratedRegex(@" AUTO_INCREMENT=\d+")]
    private static partial Regex NextNumber();
}
