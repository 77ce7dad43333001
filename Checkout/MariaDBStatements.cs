namespace UvlhubAspire.Checkout;

/// <summary>The SQL that the AppHost and UvlhubRunner have in common, and the one place where names become part of SQL.</summary>
public static class MariaDBStatements
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
            yield return $"GRANT ALL PRIVILEGES ON {QuoteIdentifier(GrantPattern(database))}.* TO {QuoteText(user)}@'%'";
        }
    }

    /// <summary>A database's name as a grant takes it, where <c>_</c> and <c>%</c> are wildcards: uvlhubdb_test would also
    /// match uvlhubdbXtest.</summary>
    public static string GrantPattern(string database) => database
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("_", "\\_", StringComparison.Ordinal)
        .Replace("%", "\\%", StringComparison.Ordinal);

    /// <summary>A name of a database, table or column as SQL takes it, whatever characters it has.</summary>
    public static string QuoteIdentifier(string name) => $"`{name.Replace("`", "``", StringComparison.Ordinal)}`";

    /// <summary>A text as an SQL literal, for statements that take no parameters.</summary>
    public static string QuoteText(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";
}
