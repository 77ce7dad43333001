namespace Aspire.Hosting.ApplicationModel;

/// <summary>A database on a <see cref="MariaDBServerResource"/>.</summary>
/// <param name="name">The resource's name; also the name of its connection string.</param>
/// <param name="databaseName">The database's name on the server.</param>
/// <param name="parent">The server.</param>
public sealed class MariaDBDatabaseResource(string name, string databaseName, MariaDBServerResource parent)
    : Resource(name), IResourceWithParent<MariaDBServerResource>, IResourceWithConnectionString
{
    /// <inheritdoc/>
    public MariaDBServerResource Parent { get; } = parent;

    /// <summary>The database's name on the server.</summary>
    public string DatabaseName { get; } = databaseName;

    /// <summary>The connection string of the application user (of <c>root</c>, if the server has no application user).</summary>
    public ReferenceExpression ConnectionStringExpression => Parent.ApplicationConnectionString(DatabaseName);

    /// <summary><c>mariadb://user:password@host:port/database</c>, all parts escaped.</summary>
    public ReferenceExpression UriExpression => Parent.ApplicationUri(DatabaseName);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
    [
        new("Host", Parent.HostExpression),
        new("Port", Parent.PortExpression),
        new("Username", ReferenceExpression.Create($"{Parent.UserName ?? "root"}")),
        new("Password", ReferenceExpression.Create($"{Parent.UserPassword ?? Parent.RootPassword}")),
        new("DatabaseName", ReferenceExpression.Create($"{DatabaseName}")),
        new("Uri", UriExpression),
    ];
}
