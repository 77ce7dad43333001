namespace UvlhubAspire.Runner.Database;

/// <summary>
/// What the runner itself keeps in the application's database, by the beginning of its name: the mark of a restore, and, on a
/// server that gives one user one database, the journal and what was set aside, for which there is no other place. No
/// snapshot has it, no undo takes it away, and it is never compared with anything.
/// </summary>
internal static class OwnTables
{
    public const string Prefix = "uvlhub_runner_";

    public const int MaximumNameLength = 64;

    /// <summary>The condition that keeps them out of a query.</summary>
    /// <param name="column">The column of <c>information_schema</c> that has a table's name.</param>
    public static string AreNot(string column) => $"LEFT({column}, {Prefix.Length}) <> '{Prefix}'";

    public static bool Has(string table) => table.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
}
