using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// How a database is reached: by SQL from here, and by MariaDB's own programs, which run inside the database's container
/// (so that their version is the server's) or, without a container, on this machine.
/// </summary>
/// <param name="ConnectionString">MySqlConnector's connection string. It must name the database.</param>
internal sealed record DatabaseAccess(string ConnectionString)
{
    /// <summary>Between two attempts where the server lets its user have no further connection.</summary>
    internal static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>The database's container; <see langword="null"/> for <c>mariadb-dump</c> and <c>mariadb</c> of this machine.</summary>
    public string? Container { get; init; }

    /// <summary>The container engine's executable. Default: <c>docker</c>.</summary>
    public string Engine { get; init; } = "docker";

    /// <summary>The server's port inside the container. Default: 3306.</summary>
    public int ContainerPort { get; init; } = 3306;

    /// <summary>How long somebody else's transaction or restore is waited for. Default: 30 s; whole seconds count.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><see cref="LockTimeout"/> as MariaDB takes it.</summary>
    internal int LockSeconds => (int)LockTimeout.TotalSeconds;

    internal MySqlConnectionStringBuilder Parts => new(ConnectionString);

    public string Database => Parts.Database;

    /// <summary>Opens a connection that is not shared with a pool: its session settings and locks end with it.</summary>
    /// <exception cref="MySqlException">The server refuses or is not there.</exception>
    internal async Task<MySqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var parts = Parts;
        parts.Pooling = false;
        parts.AllowUserVariables = true;
        // Counting and checksumming read every row; this bounds one such statement, not the whole.
        parts.DefaultCommandTimeout = 3600;
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var connection = new MySqlConnection(parts.ConnectionString);
            try
            {
                await connection.OpenAsync(cancellationToken);
                await connection.ExecuteAsync(Sql.StayConnected, cancellationToken);
                return connection;
            }
            catch (MySqlException exception)
                when (Sql.IsFull(exception) && TimeProvider.System.GetElapsedTime(started) < LockTimeout)
            {
                // One that was closed counts for a moment longer.
                await connection.DisposeAsync();
                await Task.Delay(Pause, cancellationToken);
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }
    }
}
