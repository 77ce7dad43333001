using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>
/// A MariaDB server in a container. Its own connection string is that of <c>root</c>; a database's is that of the
/// application user, if there is one.
/// </summary>
public sealed class MariaDBServerResource : ContainerResource, IResourceWithConnectionString
{
    /// <summary>The port on which the server listens inside its container.</summary>
    public const int DefaultPort = 3306;

    /// <summary>The folder of the data inside the container.</summary>
    public const string DataFolder = "/var/lib/mysql";

    internal const string PrimaryEndpointName = "tcp";

    private readonly List<MariaDBDatabaseResource> _databases = [];

    /// <summary>Makes a server; <c>AddMariaDB</c> makes it and gives it its image, endpoint and health check.</summary>
    /// <param name="name">The resource's name, which is also its host name on the containers' network.</param>
    /// <param name="rootPassword">The password of <c>root</c>.</param>
    public MariaDBServerResource(string name, ParameterResource rootPassword)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(rootPassword);
        RootPasswordParameter = rootPassword;
        PrimaryEndpoint = new EndpointReference(this, PrimaryEndpointName);
    }

    /// <summary>The endpoint that clients connect to.</summary>
    public EndpointReference PrimaryEndpoint { get; }

    /// <summary>The host that a dependent resource connects to.</summary>
    public EndpointReferenceExpression Host => PrimaryEndpoint.Property(EndpointProperty.Host);

    /// <summary>The port that a dependent resource connects to.</summary>
    public EndpointReferenceExpression Port => PrimaryEndpoint.Property(EndpointProperty.Port);

    /// <summary>The password of <c>root</c>.</summary>
    public ParameterResource RootPasswordParameter { get; }

    /// <summary>The application user; <see langword="null"/> if applications log in as <c>root</c>.</summary>
    public string? UserName { get; private set; }

    /// <summary>The application user's password; <see langword="null"/> if there is none.</summary>
    public ParameterResource? UserPasswordParameter { get; private set; }

    /// <summary>The databases of this server, in the order in which they were added; the image creates the first one.</summary>
    public IReadOnlyList<MariaDBDatabaseResource> Databases => _databases;

    /// <summary><c>Server=…;Port=…;User ID=root;Password=…</c>, as MySqlConnector reads it.</summary>
    public ReferenceExpression ConnectionStringExpression => ConnectionString(Root, database: null);

    /// <summary><c>mariadb://root:password@host:port</c>, the password escaped.</summary>
    public ReferenceExpression UriExpression => Uri(Root, database: null);

    /// <summary><c>jdbc:mariadb://host:port</c>; user and password are properties of their own.</summary>
    public ReferenceExpression JdbcConnectionString => Jdbc(database: null);

    /// <summary>Whom applications log in as.</summary>
    internal MariaDBLogin Application => UserName is null ? Root : new MariaDBLogin(UserName, UserPasswordParameter!);

    /// <summary>Whether it can be reached from the host.</summary>
    internal bool HasEndpoint => Annotations.OfType<EndpointAnnotation>().Any(endpoint => endpoint.Name == PrimaryEndpointName);

    private MariaDBLogin Root => new("root", RootPasswordParameter);

    // A server whose endpoint was taken away is found by containers all the same, and Aspire would wait for its address.
    private ReferenceExpression HostExpression => HasEndpoint ? ReferenceExpression.Create($"{Host}")
        : ReferenceExpression.Create($"{Name}");

    private ReferenceExpression PortExpression => HasEndpoint ? ReferenceExpression.Create($"{Port}")
        : ReferenceExpression.Create($"{DefaultPort.ToString(CultureInfo.InvariantCulture)}");

    internal void Add(MariaDBDatabaseResource database) => _databases.Add(database);

    internal void SetUser(string name, ParameterResource password) => (UserName, UserPasswordParameter) = (name, password);

    IEnumerable<KeyValuePair<string, ReferenceExpression>> IResourceWithConnectionString.GetConnectionProperties() =>
    [
        new("Host", HostExpression),
        new("Port", PortExpression),
        .. Root.Properties,
        new("Uri", UriExpression),
        new("JdbcConnectionString", JdbcConnectionString),
    ];

    // The password stays an expression until it is needed.
    internal ReferenceExpression ConnectionString(MariaDBLogin login, string? database)
    {
        var connectionString = new ReferenceExpressionBuilder();
        connectionString.Append($"Server={HostExpression};Port={PortExpression};User ID=");
        connectionString.AppendLiteral(Literal(login.User));
        connectionString.Append($";Password={new ConnectionStringValue(login.Password)}");
        if (database is not null)
        {
            connectionString.AppendLiteral($";Database={Literal(database)}");
        }

        return connectionString.Build();

        // What is appended becomes part of a format string.
        static string Literal(string value) => ConnectionStringValue.Quote(value)
            .Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
    }

    internal ReferenceExpression Uri(MariaDBLogin login, string? database)
    {
        var uri = new ReferenceExpressionBuilder();
        uri.AppendLiteral("mariadb://");
        uri.Append($"{login.User:uri}:{login.Password:uri}@{HostExpression}:{PortExpression}");
        return WithPath(uri, database);
    }

    internal ReferenceExpression Jdbc(string? database)
    {
        var uri = new ReferenceExpressionBuilder();
        uri.Append($"jdbc:mariadb://{HostExpression}:{PortExpression}");
        return WithPath(uri, database);
    }

    private static ReferenceExpression WithPath(ReferenceExpressionBuilder uri, string? database)
    {
        if (database is not null)
        {
            uri.Append($"/{database:uri}");
        }

        return uri.Build();
    }
}

/// <summary>Who logs in to a MariaDB server.</summary>
/// <param name="User">The user's name.</param>
/// <param name="Password">The user's password.</param>
internal readonly record struct MariaDBLogin(string User, ParameterResource Password)
{
    /// <summary>Both as connection properties.</summary>
    public IEnumerable<KeyValuePair<string, ReferenceExpression>> Properties =>
    [
        new("Username", ReferenceExpression.Create($"{User}")),
        new("Password", ReferenceExpression.Create($"{Password}")),
    ];
}
