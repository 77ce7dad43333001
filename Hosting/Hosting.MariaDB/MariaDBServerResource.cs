using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

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
    /// <summary>The port on which the server listens inside its container.</summary>
    public const int DefaultPort = 3306;

    /// <summary>The folder of the data inside the container.</summary>
    public const string DataFolder = "/var/lib/mysql";


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

    /// <summary>The host under which containers reach it. Default: the resource's name.</summary>
    public string NetworkHost { get; internal set; } = name;

    /// <summary>The port under which containers reach it. Default: 3306.</summary>
    public int NetworkPort { get; internal set; } = DefaultPort;

    // Without an endpoint there is nothing that Aspire would allocate; containers reach the server all the same.
    internal ReferenceExpression HostExpression =>
        HasEndpoint ? ReferenceExpression.Create($"{Host}") : ReferenceExpression.Create($"{NetworkHost}");

    internal ReferenceExpression PortExpression => HasEndpoint ? ReferenceExpression.Create($"{Port}")
        : ReferenceExpression.Create($"{NetworkPort.ToString(CultureInfo.InvariantCulture)}");

    private bool HasEndpoint => Annotations.OfType<EndpointAnnotation>().Any(endpoint => endpoint.Name == PrimaryEndpointName);

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

    /// <summary>A connection string without the password, for who gets that by a variable of its own.</summary>
    /// <param name="user">Who logs in.</param>
    /// <param name="database">The database; <see langword="null"/> for none.</param>
    public ReferenceExpression OpenConnectionString(string user, string? database) => ConnectionString(user, password: null, database);

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
