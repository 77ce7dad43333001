using System.Security.Cryptography;

namespace UvlhubAspire.Runner.Database;

/// <summary>A database for trying something, with an account that may touch it and nothing else. Both are dropped with it.</summary>
internal sealed class ScratchDatabase : IAsyncDisposable
{
    private readonly MySqlConnection _root;

    private ScratchDatabase(MySqlConnection root, string name) => (_root, Name) = (root, name);

    public string Name { get; }

    /// <summary>What makes an application of the checkout work on this database, as this account.</summary>
    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["MARIADB_DATABASE"] = Name,
        ["MARIADB_USER"] = Name,
        [SecretKeys.UserPassword] = Password,
    };

    // Of each kind of character, where the server insists on that.
    private string Password { get; } = $"aA1!{Convert.ToHexString(RandomNumberGenerator.GetBytes(16))}";

    /// <summary>Creates it, empty, in place of one that a killed runner has left.</summary>
    /// <param name="purpose">A part of its name.</param>
    /// <param name="like">The database whose character set it has.</param>
    /// <exception cref="MigrationRefusedException">The connection's user may not create it.</exception>
    public static async Task<ScratchDatabase> CreateAsync(
        MySqlConnection root, string purpose, string like, CancellationToken cancellationToken)
    {
        var scratch = new ScratchDatabase(root, $"uvlhub_runner_{purpose}_{Names.Digest(like, 12)}");
        try
        {
            await scratch.DropAsync(cancellationToken);
            await root.CreateDatabaseAsync(scratch.Name, like, cancellationToken);
            await root.ExecuteAsync(
                $"CREATE USER {scratch.Account} IDENTIFIED BY {MariaDBStatements.QuoteText(scratch.Password)}", cancellationToken);
            await root.ExecuteAsync(
                $"GRANT ALL PRIVILEGES ON {MariaDBStatements.QuoteIdentifier(MariaDBStatements.GrantPattern(scratch.Name))}.* "
                + $"TO {scratch.Account}",
                cancellationToken);
            return scratch;
        }
        catch (MySqlException exception) when (AccessDenied.IsMissingRight(exception))
        {
            throw new MigrationRefusedException(
                "no-scratch-database",
                $"The migrator may not create a database and an account beside {like}: {exception.Message}.",
                "Give it the rights to (CREATE, CREATE USER, GRANT OPTION).");
        }
    }

    public async ValueTask DisposeAsync() => await DropAsync(CancellationToken.None);

    private string Quoted => MariaDBStatements.QuoteIdentifier(Name);

    private string Account => $"{MariaDBStatements.QuoteText(Name)}@'%'";

    private async Task DropAsync(CancellationToken cancellationToken)
    {
        await _root.ExecuteAsync($"DROP USER IF EXISTS {Account}", cancellationToken);
        await _root.ExecuteAsync($"DROP DATABASE IF EXISTS {Quoted}", cancellationToken);
    }
}
