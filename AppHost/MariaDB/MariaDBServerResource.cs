using System.Globalization;

namespace UvlhubAspire.AppHost.MariaDB;

/// <summary>
/// A MariaDB server in a container: the tutorial's <c>docker run … mariadb</c>, the compose files' <c>db</c>.
/// Its own connection string is that of <c>root</c>; a database's is that of the application user, if there is one.
/// </summary>
/// <param name="name">The resource's name, which is also its host name on the containers' network.</param>
/// <param name="rootPassword">The password of <c>root</c>.</param>
public sealed class MariaDBServerResource(string name, ParameterResource rootPassword)
    : ContainerResource(name), IResourceWithConnectionString
{
    internal const string PrimaryEndpointName = "tcp";
    internal const int DefaultPort = 3306;

    private readonly List<MariaDBDatabaseResource> _databases = [];

    /// <summary>The endpoint that clients connect to.</summary>
    public EndpointReference PrimaryEndpoint => field ??= new(this, PrimaryEndpointName);

    /// <summary>The host that a dependent resource connects to.</summary>
    public EndpointReferenceExpression Host => PrimaryEndpoint.Property(EndpointProperty.Host);

    /// <summary>The port that a dependent resource connects to.</summary>
    public EndpointReferenceExpression Port => PrimaryEndpoint.Property(EndpointProperty.Port);

    /// <summary>The password of <c>root</c>.</summary>
    public ParameterResource RootPassword { get; internal set; } = rootPassword;

    /// <summary>The application user; <see langword="null"/> if applications log in as <c>root</c>.</summary>
    public string? UserName { get; internal set; }

    /// <summary>The application user's password; set together with <see cref="UserName"/>.</summary>
    public ParameterResource? UserPassword { get; internal set; }

    /// <summary>The databases of this server, in the order in which they were added; the image creates the first one.</summary>
    public IReadOnlyList<MariaDBDatabaseResource> Databases => _databases;

    /// <summary><c>Server=…;Port=…;User ID=root;Password=…</c>, in MySqlConnector's form.</summary>
    public ReferenceExpression ConnectionStringExpression => ConnectionString("root", RootPassword, database: null);

    /// <summary><c>mariadb://root:password@host:port</c>, user and password escaped.</summary>
    public ReferenceExpression UriExpression => Uri("root", RootPassword, database: null);

    /// <summary>The container in which its health is asked; <see langword="null"/> if it has a port on the host.</summary>
    internal string? ClosedContainer { get; set; }

    /// <summary>The server that is asked in place of this one; <see langword="null"/> if this one runs.</summary>
    internal ExternalServer? External { get; set; }

    /// <summary>The host under which containers reach it.</summary>
    internal string NetworkHost => External?.Host ?? Name;

    /// <summary>The port under which containers reach it.</summary>
    internal string NetworkPort => (External?.Port ?? DefaultPort).ToString(CultureInfo.InvariantCulture);

    // Without a port on the host there is no endpoint that Aspire would allocate; containers reach the server all the same.
    internal ReferenceExpression HostExpression => HasEndpoint ? ReferenceExpression.Create($"{Host}") : ReferenceExpression.Create($"{NetworkHost}");

    internal ReferenceExpression PortExpression => HasEndpoint ? ReferenceExpression.Create($"{Port}") : ReferenceExpression.Create($"{NetworkPort}");

    private bool HasEndpoint => ClosedContainer is null && External is null;

    internal void Add(MariaDBDatabaseResource database) => _databases.Add(database);

    internal ReferenceExpression ApplicationConnectionString(string database) => UserName is null
        ? ConnectionString("root", RootPassword, database)
        : ConnectionString(UserName, UserPassword!, database);

    internal ReferenceExpression ApplicationUri(string database) => UserName is null
        ? Uri("root", RootPassword, database)
        : Uri(UserName, UserPassword!, database);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
    [
        new("Host", HostExpression),
        new("Port", PortExpression),
        new("Username", ReferenceExpression.Create($"root")),
        new("Password", ReferenceExpression.Create($"{RootPassword}")),
        new("Uri", UriExpression),
    ];

    // Without the password, for those who get it by a variable of its own.
    internal ReferenceExpression OpenConnectionString(string user, string? database) => ConnectionString(user, password: null, database);

    // The password stays an expression until the container starts; ConnectionStringValue quotes what the
    // connection string's grammar would take apart (';', '=', quotes, outer spaces).
    private ReferenceExpression ConnectionString(string user, ParameterResource? password, string? database)
    {
        var connectionString = new ReferenceExpressionBuilder();
        connectionString.Append($"Server={HostExpression};Port={PortExpression};User ID=");
        connectionString.AppendLiteral(ConnectionStringValue.Quote(user));
        if (password is not null)
        {
            connectionString.Append($";Password={new ConnectionStringValue(password)}");
        }

        if (database is not null)
        {
            connectionString.AppendLiteral($";Database={ConnectionStringValue.Quote(database)}");
        }

        return connectionString.Build();
    }

    private ReferenceExpression Uri(string user, ParameterResource password, string? database)
    {
        var uri = new ReferenceExpressionBuilder();
        uri.AppendLiteral($"mariadb://{System.Uri.EscapeDataString(user)}:");
        uri.Append($"{password:uri}@{HostExpression}:{PortExpression}");
        if (database is not null)
        {
            uri.AppendLiteral($"/{System.Uri.EscapeDataString(database)}");
        }

        return uri.Build();
    }
}
