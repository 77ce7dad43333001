namespace UvlhubAspire.AppHost.MariaDB;

/// <summary>The SQL of this integration.</summary>
internal static class MariaDBStatements
{
    /// <summary>Creates a database unless it exists, and gives the user all rights on it: what uvlhub's init-testing-db.sh does.</summary>
    /// <param name="database">The database's name, unquoted.</param>
    /// <param name="user">The user's name, unquoted; none if <see langword="null"/>.</param>
    /// <returns>The statements, one by one.</returns>
    public static IEnumerable<string> CreateDatabase(string database, string? user)
    {
        yield return $"CREATE DATABASE IF NOT EXISTS {QuoteIdentifier(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
        if (user is not null)
        {
            // In a grant '_' and '%' are wildcards: uvlhubdb_test would also match uvlhubdbXtest.
            var pattern = database.Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("_", "\\_", StringComparison.Ordinal)
                .Replace("%", "\\%", StringComparison.Ordinal);
            yield return $"GRANT ALL PRIVILEGES ON {QuoteIdentifier(pattern)}.* TO {QuoteText(user)}@'%'";
        }
    }

    private static string QuoteIdentifier(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    private static string QuoteText(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";
}
