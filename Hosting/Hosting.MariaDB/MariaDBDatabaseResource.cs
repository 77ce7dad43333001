using System.Diagnostics;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A database on a <see cref="MariaDBServerResource"/>, and its child.</summary>
[DebuggerDisplay("Type = {GetType().Name,nq}, Name = {Name}, Database = {DatabaseName}")]
public sealed class MariaDBDatabaseResource : Resource, IResourceWithParent<MariaDBServerResource>, IResourceWithConnectionString
{
    /// <summary>Makes a database; <c>AddDatabase</c> makes it and adds it to its server.</summary>
    /// <param name="name">The resource's name; also the name of its connection string.</param>
    /// <param name="databaseName">The database's name on the server.</param>
    /// <param name="parent">The server.</param>
    /// <exception cref="ArgumentException"><paramref name="databaseName"/> is empty.</exception>
    public MariaDBDatabaseResource(string name, string databaseName, MariaDBServerResource parent)
        : base(name)
    {
        ArgumentException.ThrowIfNullOrEmpty(databaseName);
        ArgumentNullException.ThrowIfNull(parent);
        (DatabaseName, Parent) = (databaseName, parent);
    }

    /// <inheritdoc/>
    public MariaDBServerResource Parent { get; }

    /// <summary>The database's name on the server.</summary>
    public string DatabaseName { get; }

    /// <summary>
    /// <c>Server=…;Port=…;User ID=…;Password=…;Database=…</c> of the application user; of <c>root</c>, if the server has no
    /// application user.
    /// </summary>
    public ReferenceExpression ConnectionStringExpression => Parent.ConnectionString(Parent.Application, DatabaseName);

    /// <summary><c>mariadb://user:password@host:port/database</c>, all parts escaped.</summary>
    public ReferenceExpression UriExpression => Parent.Uri(Parent.Application, DatabaseName);

    /// <summary><c>jdbc:mariadb://host:port/database</c>; user and password are properties of their own.</summary>
    public ReferenceExpression JdbcConnectionString => Parent.Jdbc(DatabaseName);

    internal string? CreationScript { get; set; }

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
        Parent.CombineProperties(
        [
            .. Parent.Application.Properties,
            new("DatabaseName", ReferenceExpression.Create($"{DatabaseName}")),
            new("Uri", UriExpression),
            new("JdbcConnectionString", JdbcConnectionString),
        ]);
}
