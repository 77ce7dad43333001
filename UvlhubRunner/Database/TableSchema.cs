namespace UvlhubAspire.Runner.Database;

/// <summary>
/// A schema as far as an application notices it. Names of indexes and constraints and the order of columns are left out:
/// they differ between tables that <c>create_all()</c> made and tables that revisions made, and nothing depends on them.
/// </summary>
internal sealed record DatabaseSchema(IReadOnlyDictionary<string, TableSchema> Tables)
{
    /// <summary>How this schema differs from the one that it should be; empty if it does not.</summary>
    public IReadOnlyList<string> DifferencesFrom(DatabaseSchema expected)
    {
        List<string> differences = [];
        foreach (var name in expected.Tables.Keys.Union(Tables.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (should, actual) = (expected.Tables.GetValueOrDefault(name), Tables.GetValueOrDefault(name));
            switch (should, actual)
            {
                case (not null, null):
                    differences.Add($"table {name} is missing");
                    break;
                case (null, not null):
                    differences.Add($"table {name} is not in the checkout's migrations");
                    break;
                default:
                    differences.AddRange(actual!.DifferencesFrom(should!, name));
                    break;
            }
        }

        return differences;
    }
}

/// <summary>One table of a <see cref="DatabaseSchema"/>.</summary>
/// <param name="Columns">Column name to type, nullability, default and extras, in one text.</param>
/// <param name="Constraints">Indexes, foreign keys and checks, each in one text.</param>
internal sealed record TableSchema(IReadOnlyDictionary<string, string> Columns, IReadOnlySet<string> Constraints)
{
    public IEnumerable<string> DifferencesFrom(TableSchema expected, string table)
    {
        foreach (var name in expected.Columns.Keys.Union(Columns.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (should, actual) = (expected.Columns.GetValueOrDefault(name), Columns.GetValueOrDefault(name));
            if (actual is null)
            {
                yield return $"column {table}.{name} ({should}) is missing";
            }
            else if (should is null)
            {
                yield return $"column {table}.{name} ({actual}) is not in the checkout's migrations";
            }
            else if (should != actual)
            {
                yield return $"column {table}.{name} is {actual}, it should be {should}";
            }
        }

        foreach (var constraint in expected.Constraints.Except(Constraints).Order(StringComparer.Ordinal))
        {
            yield return $"{table}: {constraint} is missing";
        }

        foreach (var constraint in Constraints.Except(expected.Constraints).Order(StringComparer.Ordinal))
        {
            yield return $"{table}: {constraint} is not in the checkout's migrations";
        }
    }
}
