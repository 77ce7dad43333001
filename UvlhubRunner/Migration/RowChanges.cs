using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Migration;

/// <summary>What has become of the rows between two looks at a database, table by table.</summary>
internal static class RowChanges
{
    /// <summary>In words, one for each table whose rows are others than before; a table without rows says nothing.</summary>
    public static IReadOnlyList<string> Between(
        IReadOnlyDictionary<string, TableContent> before, IReadOnlyDictionary<string, TableContent> after) =>
        [.. before.Keys.Union(after.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(table => Describe(table, before.GetValueOrDefault(table), after.GetValueOrDefault(table)))
            .OfType<string>()];

    private static string? Describe(string table, TableContent? before, TableContent? after) => (before, after) switch
    {
        ({ Rows: 0 }, null) or (null, { Rows: 0 }) => null,
        ({ } gone, null) => $"{table} is dropped with {Rows(gone.Rows)}",
        (null, { } made) => $"{table} is made with {Rows(made.Rows)}",
        ({ } was, { } now) when now.Rows > was.Rows => $"{table}: {Rows(now.Rows - was.Rows)} more than {was.Rows}",
        ({ } was, { } now) when now.Rows < was.Rows => $"{table}: {Rows(was.Rows - now.Rows)} fewer than {was.Rows}",
        // With another column each row has another sum, whatever has become of its values.
        ({ } was, { Rows: > 0 } now) when was.Structure != now.Structure => $"{table}: {Rows(now.Rows)}, in other columns or keys",
        ({ } was, { } now) when !now.HasValuesOf(was) => $"{table}: {Rows(now.Rows)}, with other values",
        _ => null,
    };

    private static string Rows(long count) => count == 1 ? "1 row" : $"{count} rows";
}
