using System.Security.Cryptography;
using MySqlConnector;

namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// A database user that can do anything to the test database and nothing to any other. Whatever a test does, and however
/// an application is configured for it, the server keeps it from the developer's own rows.
/// </summary>
internal sealed record TestAccount(string User, string Password)
{
    private const int LongestUserName = 80;

    /// <summary>Creates the user, or gives it a new password; creates the test database if it is missing.</summary>
    /// <exception cref="MySqlException">The server does not answer, or refuses.</exception>
    public static async Task<TestAccount> PrepareAsync(
        MariaDBServerResource server, string applicationUser, string testDatabase, CancellationToken cancellationToken)
    {
        var user = applicationUser[..Math.Min(applicationUser.Length, LongestUserName - "_pytest".Length)] + "_pytest";
        var account = new TestAccount(user, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        var (name, password) = ($"{MariaDBStatements.QuoteText(user)}@'%'", MariaDBStatements.QuoteText(account.Password));

        await using var connection = new MySqlConnection(await server.ConnectionStringExpression.GetValueAsync(cancellationToken));
        await connection.OpenAsync(cancellationToken);
        string[] statements =
        [
            $"CREATE USER IF NOT EXISTS {name}",
            $"ALTER USER {name} IDENTIFIED BY {password}",
            // What it was given by hand, or for a test database of another name.
            $"REVOKE ALL PRIVILEGES, GRANT OPTION FROM {name}",
            .. MariaDBStatements.CreateDatabase(testDatabase, user),
        ];
        foreach (var statement in statements)
        {
            await using var command = new MySqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        return account;
    }
}
