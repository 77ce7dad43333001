using MySqlConnector;
using Polly.Timeout;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Resilience;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Resilience;

/// <summary>Each cause is a real one of a real server: what a library calls it is the thing in question.</summary>
public sealed class TransientCauseTests(MariaDBFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task A_port_that_nobody_listens_at_is_transient()
    {
        var cause = await FailedAsync(() => OpenAsync("Server=127.0.0.1;Port=1;User ID=root;ConnectionTimeout=2"));
        Assert.True(TransientCause.WhenConnecting(cause));
        Assert.Equal("nothing listens there yet", CauseText.Of(cause));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_listener_that_says_nothing_or_hangs_up_is_transient()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        Assert.True(
            TransientCause.WhenConnecting(
                await FailedAsync(() => OpenAsync($"Server=127.0.0.1;Port={port};User ID=root;ConnectionTimeout=1;Pooling=false"))));

        using (await listener.AcceptSocketAsync(Cancellation))
        {
            // The first one's.
        }

        var hangingUp = listener.AcceptSocketAsync(Cancellation).AsTask()
            .ContinueWith(accepted => accepted.Result.Dispose(), TaskScheduler.Default);
        var cause = await FailedAsync(() => OpenAsync($"Server=127.0.0.1;Port={port};User ID=root;ConnectionTimeout=5;Pooling=false"));
        await hangingUp;
        Assert.True(TransientCause.WhenConnecting(cause), cause.ToString());
    }

    [Fact(Timeout = 600_000)]
    public async Task A_refused_password_an_unknown_user_and_missing_rights_are_permanent()
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        var other = await fixture.CreateDatabaseAsync(Cancellation);
        foreach (var connection in new[]
        {
            new MySqlConnectionStringBuilder(database.ConnectionString) { Password = "wrong" },
            new MySqlConnectionStringBuilder(database.ConnectionString) { UserID = "nobody" },
            new MySqlConnectionStringBuilder(database.ConnectionString) { Database = other.Name },
        })
        {
            var cause = Assert.IsType<MySqlException>(await FailedAsync(() => OpenAsync(connection.ConnectionString)));
            Assert.False(TransientCause.WhenConnecting(cause), cause.Message);
            Assert.False(TransientCause.WhenInspecting(cause), cause.Message);
            Assert.True(TransientCause.IsAccessDenied(cause), cause.Message);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task Too_many_connections_are_transient()
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        await MariaDBServer.ExecuteAsync(
            database.RootConnectionString, $"ALTER USER '{database.User}'@'%' WITH MAX_USER_CONNECTIONS 1", Cancellation);
        await using var first = await OpenAsync(database.ConnectionString);
        var cause = await FailedAsync(() => OpenAsync(database.ConnectionString));
        Assert.True(TransientCause.WhenConnecting(cause), cause.Message);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_syntax_error_and_a_missing_table_are_permanent()
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        foreach (var statement in new[] { "SELEKT 1", "SELECT * FROM missing", "SELECT missing" })
        {
            var cause = await FailedAsync(() => database.ExecuteAsync(statement, Cancellation));
            Assert.False(TransientCause.WhenInspecting(cause), cause.Message);
            Assert.False(TransientCause.WhenChanging(cause), cause.Message);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task A_lock_that_is_waited_for_too_long_is_transient_when_reading_and_not_when_connecting()
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        await database.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 1)", Cancellation);
        await using var holder = await OpenAsync(database.ConnectionString);
        await RunAsync(holder, "START TRANSACTION; UPDATE t SET n = 2 WHERE id = 1");
        await using var waiting = await OpenAsync(database.ConnectionString);
        var cause = await FailedAsync(() => RunAsync(waiting, "SET SESSION innodb_lock_wait_timeout = 1; UPDATE t SET n = 3 WHERE id = 1"));
        Assert.True(TransientCause.WhenInspecting(cause), cause.Message);
        Assert.False(TransientCause.WhenConnecting(cause), cause.Message);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_deadlock_is_transient()
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        await database.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 1), (2, 2)", Cancellation);
        await using var one = await OpenAsync(database.ConnectionString);
        await using var two = await OpenAsync(database.ConnectionString);
        await RunAsync(one, "START TRANSACTION; UPDATE t SET n = 0 WHERE id = 1");
        await RunAsync(two, "START TRANSACTION; UPDATE t SET n = 0 WHERE id = 2");
        var causes = await Task.WhenAll(
            Record.ExceptionAsync(() => RunAsync(one, "UPDATE t SET n = 0 WHERE id = 2")).AsTask(),
            Record.ExceptionAsync(() => RunAsync(two, "UPDATE t SET n = 0 WHERE id = 1")).AsTask());
        var victim = Assert.IsType<MySqlException>(Assert.Single(causes.OfType<Exception>()));
        Assert.Equal(MySqlErrorCode.LockDeadlock, victim.ErrorCode);
        Assert.True(TransientCause.WhenInspecting(victim));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_killed_connection_is_transient()
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        await using var killed = await OpenAsync(database.ConnectionString);
        var sleeping = Record.ExceptionAsync(() => RunAsync(killed, "DO SLEEP(30)")).AsTask();
        await Task.Delay(300, Cancellation);
        await MariaDBServer.ExecuteAsync(database.RootConnectionString, $"KILL CONNECTION {killed.ServerThread}", Cancellation);
        var first = await sleeping;
        Assert.NotNull(first);
        Assert.True(TransientCause.WhenInspecting(first), first.ToString());
    }

    [Fact]
    public void A_limit_that_was_reached_and_a_lost_lock_are_transient_and_a_bug_is_not()
    {
        Assert.True(TransientCause.WhenConnecting(new TimeoutRejectedException()));
        Assert.True(TransientCause.WhenChanging(new LockLostException("db", new IOException())));
        Assert.False(TransientCause.WhenChanging(new FlaskException("Traceback", isTransient: false)));
        Assert.True(TransientCause.WhenChanging(new FlaskException("busy", isTransient: true)));
        Assert.False(TransientCause.WhenChanging(new InvalidOperationException()));
        Assert.False(TransientCause.WhenInspecting(new OperationCanceledException()));
    }

    [Theory]
    [InlineData("sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (2013, 'Lost connection to MySQL server during query')", true)]
    [InlineData("pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)\")", true)]
    [InlineData("(pymysql.err.OperationalError) (1205, 'Lock wait timeout exceeded; try restarting transaction')", true)]
    [InlineData("(pymysql.err.OperationalError) (1213, 'Deadlock found when trying to get lock; try restarting transaction')", true)]
    [InlineData("(pymysql.err.OperationalError) (1040, 'Too many connections')", true)]
    [InlineData("(pymysql.err.OperationalError) (1045, \"Access denied for user 'a'@'b' (using password: YES)\")", false)]
    [InlineData("(pymysql.err.ProgrammingError) (1064, 'You have an error in your SQL syntax')", false)]
    [InlineData("(pymysql.err.ProgrammingError) (1146, \"Table 'a.b' doesn't exist\")", false)]
    [InlineData("(pymysql.err.OperationalError) (1050, \"Table 'user' already exists\")", false)]
    [InlineData("KeyError: 2013", false)]
    [InlineData("ModuleNotFoundError: No module named 'antlr4'", false)]
    public void Of_what_flask_prints_only_the_drivers_transient_numbers_count(string line, bool isTransient) =>
        Assert.Equal(isTransient, TransientCause.InFlaskOutput(line));

    [Theory]
    [InlineData("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", true)]
    [InlineData("Error response from daemon: Container abc is restarting, wait until the container is running", true)]
    [InlineData("Error response from daemon: No such container: rosemary_container", false)]
    [InlineData("OCI runtime exec failed: exec failed: unable to start container process: exec: \"sh\": executable file not found in $PATH", false)]
    public void Of_what_the_engine_prints_only_being_busy_counts(string line, bool isTransient) =>
        Assert.Equal(isTransient, TransientCause.InEngineOutput(line));

    private static async Task<Exception> FailedAsync(Func<Task> action)
    {
        var exception = await Record.ExceptionAsync(action);
        Assert.NotNull(exception);
        return exception;
    }

    private static async Task<MySqlConnection> OpenAsync(string connectionString)
    {
        var connection = new MySqlConnection(connectionString);
        try
        {
            await connection.OpenAsync(Cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private static async Task RunAsync(MySqlConnection connection, string sql)
    {
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
