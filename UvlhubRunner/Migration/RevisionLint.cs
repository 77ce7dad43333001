using System.Text.RegularExpressions;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>Says what pending revisions would take away or fail on, counted on the rows that are there.</summary>
internal sealed partial class RevisionLint(UvlhubDatabase database, ChangeReader reader, ILogger<RevisionLint> logger)
{
    /// <summary>Reads the revisions and counts.</summary>
    /// <returns>What was found, each with file and line; and whether the revisions only add to the schema.</returns>
    public async Task<(IReadOnlyList<string> Findings, bool IsAdditive)> CheckAsync(
        MySqlConnection root, IReadOnlyList<Revision> pending, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("look at the revisions");
        IReadOnlyList<SchemaChange> changes;
        try
        {
            changes = await reader.ReadAsync(pending, cancellationToken);
        }
        catch (FlaskException exception)
        {
            LogNotRead(exception.Message);
            return ([], false);
        }

        List<string> findings = [];
        foreach (var change in changes)
        {
            if (await DescribeAsync(root, change, changes, cancellationToken) is { } found)
            {
                findings.Add($"{change.File}:{change.Line}: {found}");
            }
        }

        findings.AddRange(changes.GroupBy(change => change.File, StringComparer.Ordinal)
            .Where(file => file.Any(IsData) && file.Any(change => !IsData(change)))
            .Select(file => $"{file.Key}:{file.First(IsData).Line}: changes rows in a revision that changes the schema too: if it fails "
                + "afterwards, MariaDB takes neither back by itself"));
        findings.ForEach(LogFinding);
        return (findings, changes.All(change => change.IsAdditive));
    }

    private static bool IsData(SchemaChange change) => change.Kind == "data";

    private async Task<string?> DescribeAsync(
        MySqlConnection root, SchemaChange change, IReadOnlyList<SchemaChange> all, CancellationToken cancellationToken)
    {
        var table = change.Table ?? "";
        var column = change.Columns is [var only] ? only : "";
        return change.Kind switch
        {
            "drop-table" => Rows(await CountAsync(), $"drops the table {table}, which has {{0}}"),
            "drop-column" => Rows(await CountAsync($"{Quoted(column)} IS NOT NULL"), $"drops {table}.{column}, which has a value in {{0}}"),
            "add-required" => Rows(
                await CountAsync(), $"adds {table}.{column} as NOT NULL without a server_default, and the table has {{0}}"),
            "require" => Rows(await CountAsync($"{Quoted(column)} IS NULL"), $"makes {table}.{column} NOT NULL, and it is NULL in {{0}}"),
            "retype" when Longest(change.Detail!) is { } longest =>
                Rows(await CountAsync($"CHAR_LENGTH({Quoted(column)}) > {longest}"),
                    $"narrows {table}.{column} to {longest} characters, and it is longer in {{0}}"),
            "retype" when Range(change.Detail!) is { } range =>
                Rows(await CountAsync($"NOT {Quoted(column)} BETWEEN {range}"),
                    $"narrows {table}.{column} to {change.Detail}, and it is out of its range in {{0}}"),
            "unique" when change.Columns.Count > 0 => Rows(
                await NumberAsync(
                    $"SELECT SUM(n) FROM (SELECT COUNT(*) AS n FROM {Of(table)} WHERE "
                    + $"{string.Join(" AND ", change.Columns.Select(name => $"{Quoted(name)} IS NOT NULL"))} "
                    + $"GROUP BY {string.Join(", ", change.Columns.Select(Quoted))} HAVING COUNT(*) > 1) AS twice"),
                $"makes {table} ({string.Join(", ", change.Columns)}) unique, and a value occurs more than once in {{0}}"),
            "drop-index" when !all.Any(other => other.Kind == "drop-constraint" && other.Table == change.Table)
                && await NeededByAsync(root, table, change.Detail, cancellationToken) is { } key =>
                $"drops the index {change.Detail}, which the foreign key {key} needs: MariaDB refuses that (1553)",
            _ => null,
        };

        Task<long?> CountAsync(string condition = "TRUE") => NumberAsync($"SELECT COUNT(*) FROM {Of(table)} WHERE {condition}");

        async Task<long?> NumberAsync(string sql)
        {
            try
            {
                return await root.NumberAsync(sql, cancellationToken);
            }
            catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.NoSuchTable or MySqlErrorCode.BadFieldError)
            {
                // An earlier one of the revisions makes it.
                return null;
            }
        }
    }

    // The foreign key that has no other index, of its own table or of one that refers to it.
    private async Task<string?> NeededByAsync(MySqlConnection root, string table, string? index, CancellationToken cancellationToken)
    {
        var indexes = await root.RowsAsync(
            """
            SELECT INDEX_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX SEPARATOR ',') FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = @database AND TABLE_NAME = @table GROUP BY INDEX_NAME
            """,
            cancellationToken, ("@database", database.Name), ("@table", table));
        var keys = await root.RowsAsync(
            """
            SELECT CONSTRAINT_NAME, GROUP_CONCAT(
                IF(TABLE_NAME = @table, COLUMN_NAME, REFERENCED_COLUMN_NAME) ORDER BY ORDINAL_POSITION SEPARATOR ',')
            FROM information_schema.KEY_COLUMN_USAGE
            WHERE TABLE_SCHEMA = @database AND REFERENCED_TABLE_NAME IS NOT NULL AND @table IN (TABLE_NAME, REFERENCED_TABLE_NAME)
            GROUP BY TABLE_NAME, CONSTRAINT_NAME
            """,
            cancellationToken, ("@database", database.Name), ("@table", table));
        return keys.Find(key =>
        {
            var serving = indexes.FindAll(
                candidate => $"{candidate[1]},".StartsWith($"{key[1]},", StringComparison.OrdinalIgnoreCase));
            return serving is [var one] && string.Equals((string)one[0], index, StringComparison.OrdinalIgnoreCase);
        })?[0] as string;
    }

    private string Of(string table) => $"{Quoted(database.Name)}.{Quoted(table)}";

    private static string Quoted(string name) => MariaDBStatements.QuoteIdentifier(name);

    private static string? Rows(long? count, string text) => count is null or 0
        ? null
        : string.Format(null, text, count == 1 ? "1 row" : $"{count} rows");

    private static string? Longest(string type) => Characters().Match(type) is { Success: true } match ? match.Groups[1].Value : null;

    private static string? Range(string type) =>
        SmallNumber().IsMatch(type) ? "-32768 AND 32767" : Number().IsMatch(type) ? "-2147483648 AND 2147483647" : null;

    [GeneratedRegex(@"(?:String|Unicode|VARCHAR|CHAR)\((?:length=)?(\d+)", RegexOptions.IgnoreCase)]
    private static partial Regex Characters();

    [GeneratedRegex(@"\b(SmallInteger|SMALLINT)\b", RegexOptions.IgnoreCase)]
    private static partial Regex SmallNumber();

    [GeneratedRegex(@"\b(Integer|INTEGER|INT)\b")]
    private static partial Regex Number();

    [LoggerMessage(EventId = 440, Level = LogLevel.Warning, Message = "{Finding}")]
    private partial void LogFinding(string finding);

    [LoggerMessage(EventId = 441, Level = LogLevel.Warning, Message = "What the revisions change cannot be read: {Cause}")]
    private partial void LogNotRead(string cause);
}
