using System.Runtime.Versioning;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Images;

/// <summary>What images/mariadb promises, on real containers.</summary>
[SupportedOSPlatform("linux")]
public sealed class MariaDBImageTests
{
    private const string DataFolder = "/var/lib/mysql";

    [Fault(FaultArea.Checkout, "names and passwords with quotes, $, spaces and other alphabets", Happens = "they reach MariaDB as they are", Data = "both users log in")]
    [Theory(Timeout = 300_000)]
    [InlineData("uvlhubdb", "uvlhubdb_user", "p'a\"s`s\\w$o{r}d; DROP DATABASE mysql; -- # %s ")]
    [InlineData("a b-c'd\"e`f\\g.h_%", "o'b\"r`i\\e n;--", "'")]
    [InlineData("datenbänke", "señor", "contraseña 密码 🔑 \\' \\\\ \\")]
    public async Task Names_and_passwords_reach_the_server_as_they_are(string database, string user, string password)
    {
        await using var container = await StartAsync(database, user, password, rootPassword: $"root {password}");

        await using var connection = await ConnectAsync(container, user, password, database);
        Assert.Equal(database, await ScalarAsync(connection, "SELECT DATABASE()"));
        Assert.Equal($"{user}@%", await ScalarAsync(connection, "SELECT CURRENT_USER()"));
        await ExecuteAsync(connection, "CREATE TABLE t (x INT)");

        await using var root = await ConnectAsync(container, "root", $"root {password}", "mysql");
        Assert.Equal("root@%", await ScalarAsync(root, "SELECT CURRENT_USER()"));
    }

    [Fact(Timeout = 300_000)]
    public async Task The_user_has_rights_on_its_database_alone_although_its_name_has_wildcards()
    {
        await using var container = await StartAsync("uvl_db", "user", "password");
        await using var root = await ConnectAsync(container, "root", "root", "mysql");
        await ExecuteAsync(root, "CREATE DATABASE uvlXdb");

        await using var connection = await ConnectAsync(container, "user", "password", "uvl_db");
        var refused = await Assert.ThrowsAsync<MySqlException>(() => ExecuteAsync(connection, "CREATE TABLE uvlXdb.t (x INT)"));

        Assert.Equal(MySqlErrorCode.TableAccessDenied, refused.ErrorCode);
    }

    [Fact(Timeout = 300_000)]
    public async Task Passwords_can_come_from_files()
    {
        using var secrets = new TemporaryFolder();
        secrets.Write("root", "from a file\n");
        secrets.Write("user", "also 'from' a file\n");
        TestContainer.Open(secrets);
        await using var container = await TestContainer.StartAsync("mariadb",
            ["--publish", "127.0.0.1::3306", "--volume", $"{secrets.Path}:/run/secrets:ro", "--env", "MARIADB_ROOT_PASSWORD_FILE=/run/secrets/root",
             "--env", "MARIADB_DATABASE=db", "--env", "MARIADB_USER=user", "--env", "MARIADB_PASSWORD_FILE=/run/secrets/user"]);

        await using var connection = await ConnectAsync(container, "user", "also 'from' a file", "db");
        await using var root = await ConnectAsync(container, "root", "from a file", "db");

        Assert.DoesNotContain("from a file", await container.LogsAsync(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Scripts_run_once_in_order_on_a_new_volume()
    {
        using var scripts = new TemporaryFolder();
        scripts.Write("1-table.sql", "CREATE TABLE ran (step VARCHAR(20));\nINSERT INTO ran VALUES ('sql');\n");
        using (var file = File.Create(Path.Combine(scripts.Path, "2-packed.sql.gz")))
        using (var packed = new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest))
        {
            packed.Write("INSERT INTO ran VALUES ('gz');\n"u8);
        }

        scripts.Write("3-program.sh", "#!/bin/sh\nmariadb -uroot -p\"$MARIADB_ROOT_PASSWORD\" \"$MARIADB_DATABASE\" -e \"INSERT INTO ran VALUES ('program')\"\n");
        TestContainer.Open(scripts, "3-program.sh");
        scripts.Write("4-sourced.sh", "docker_process_sql --database=\"$MARIADB_DATABASE\" <<< \"INSERT INTO ran VALUES ('sourced')\"\n");
        TestContainer.Open(scripts);
        await using var container = await StartAsync("db", "user", "password", options: ["--volume", $"{scripts.Path}:/docker-entrypoint-initdb.d:ro"]);
        await using (var connection = await ConnectAsync(container, "user", "password", "db"))
        {
            Assert.Equal("sql,gz,program,sourced", await ScalarAsync(connection, "SELECT GROUP_CONCAT(step) FROM ran"));
        }

        await container.RestartAsync();

        await using var again = await ConnectAsync(container, "user", "password", "db");
        Assert.Equal("4", await ScalarAsync(again, "SELECT COUNT(*) FROM ran"));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_script_that_fails_leaves_the_volume_for_the_next_start_to_begin_again()
    {
        using var scripts = new TemporaryFolder();
        scripts.Write("1.sql", "CREATE TABLE t (x INT);\n");
        scripts.Write("2.sql", "CREATE TABLE t (x INT);\n");
        TestContainer.Open(scripts);
        await using var container = await StartAsync("db", "user", "password", options: ["--volume", $"{scripts.Path}:/docker-entrypoint-initdb.d:ro"]);
        Assert.Equal(1, await container.ExitCodeAsync());
        Assert.Contains("ERROR: /docker-entrypoint-initdb.d/2.sql failed; the volume is still empty, the next start begins again", await container.LogsAsync(), StringComparison.Ordinal);

        scripts.Write("2.sql", "INSERT INTO t VALUES (7);\n");
        await container.StartAgainAsync();

        await using var connection = await ConnectAsync(container, "user", "password", "db");
        Assert.Equal("7", await ScalarAsync(connection, "SELECT x FROM t"));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_restart_keeps_rows_and_passwords_even_after_a_kill()
    {
        await using var container = await StartAsync("db", "user", "password");
        await using (var connection = await ConnectAsync(container, "user", "password", "db"))
        {
            await ExecuteAsync(connection, "CREATE TABLE t (x INT)");
            await ExecuteAsync(connection, "INSERT INTO t VALUES (42)");
            await ExecuteAsync(connection, "SET PASSWORD = PASSWORD('changed')");
        }

        await container.KillAsync();
        await container.StartAgainAsync();

        // Changed by its owner: the variables count for a new volume alone.
        await using var again = await ConnectAsync(container, "user", "changed", "db");
        Assert.Equal("42", await ScalarAsync(again, "SELECT x FROM t"));
        var left = await container.ExecAsync("find", DataFolder, "-name", ".uvlhub-aspire*");
        Assert.Equal("", left.Output);
    }

    [Fault(FaultArea.Database, "MariaDB is killed while it makes a new volume", Happens = "the next start begins again", Data = "there was none yet")]
    [Theory(Timeout = 300_000)]
    [InlineData(50)]
    [InlineData(150)]
    [InlineData(250)]
    [InlineData(400)]
    [InlineData(700)]
    public async Task A_first_start_that_is_killed_is_finished_by_the_next(int milliseconds)
    {
        await using var container = await StartAsync("db", "user", "password");
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        await container.KillAsync();

        await container.StartAgainAsync();

        await using var connection = await ConnectAsync(container, "user", "password", "db");
        await ExecuteAsync(connection, "CREATE TABLE t (x INT)");
        await using var root = await ConnectAsync(container, "root", "root", "mysql");
        Assert.Equal("0", await ScalarAsync(root, "SELECT COUNT(*) FROM global_priv WHERE User = 'root' AND Priv LIKE '%invalid%'"));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_was_half_prepared_is_thrown_away_and_prepared_again()
    {
        await using var volume = await VolumeWithAsync("mkdir .uvlhub-aspire.initialising && echo garbage > .uvlhub-aspire.initialising/ibdata1");
        await using var container = await StartAsync("db", "user", "password", shares: volume);

        await using var connection = await ConnectAsync(container, "user", "password", "db");
        Assert.Equal("db", await ScalarAsync(connection, "SELECT DATABASE()"));
    }

    [Fault(FaultArea.Database, "the volume was written by a newer MariaDB", Happens = "the server refuses to start, in one line", Data = "nothing was changed")]
    [Fact(Timeout = 300_000)]
    public async Task A_volume_of_a_newer_MariaDB_is_refused_in_one_line_and_left_alone()
    {
        await using var container = await StartAsync("db", "user", "password");
        await HealthyAsync(container);
        await WrittenByAsync(container, "12.0.2-MariaDB");

        await container.RestartAsync();

        Assert.Equal(1, await container.ExitCodeAsync());
        var last = (await container.LogsAsync()).Trim().Split('\n')[^1];
        Proof.Reads("ERROR: the volume was written by MariaDB 12.0.2, which is newer than this server (11.8.", last);
        Assert.Contains("(nothing was changed)", last, StringComparison.Ordinal);
    }

    [Fault(FaultArea.Database, "the volume was written by an older MariaDB", Happens = "it is upgraded; the old system tables are kept beside it", Data = "rows and accounts are there")]
    [Fact(Timeout = 300_000)]
    public async Task A_volume_of_an_older_MariaDB_is_upgraded_and_its_system_tables_are_kept()
    {
        await using var container = await StartAsync("db", "user", "password");
        await using (var connection = await ConnectAsync(container, "user", "password", "db"))
        {
            await ExecuteAsync(connection, "CREATE TABLE t (x INT)");
        }

        // Neither has the account of the health check, where another image made the volume.
        await using (var root = await ConnectAsync(container, "root", "root", "mysql"))
        {
            await ExecuteAsync(root, "DROP USER 'healthcheck'@'localhost', 'healthcheck'@'127.0.0.1', 'healthcheck'@'::1'");
        }

        await container.ExecAsync("rm", $"{DataFolder}/.my-healthcheck.cnf");
        await WrittenByAsync(container, "10.11.6-MariaDB");
        await container.RestartAsync();

        await using var again = await ConnectAsync(container, "user", "password", "db");
        await ExecuteAsync(again, "INSERT INTO t VALUES (1)");
        await HealthyAsync(container);
        var version = await container.ExecAsync("cat", $"{DataFolder}/mariadb_upgrade_info");
        Assert.StartsWith("11.8.", version.Output, StringComparison.Ordinal);
        var backup = await container.ExecAsync("sh", "-c", $"zcat {DataFolder}/system_mysql_backup_10.11.6-MariaDB.sql.gz | grep -c global_priv");
        Assert.NotEqual("0", backup.Output);
    }

    [Fault(FaultArea.Database, "two servers open one volume", Happens = "the second refuses to start, in one line; the first goes on", Data = "untouched")]
    [Fact(Timeout = 300_000)]
    public async Task A_second_server_on_one_volume_is_refused_in_one_line()
    {
        await using var first = await StartAsync("db", "user", "password");
        await HealthyAsync(first);
        await using var second = await StartAsync("db", "user", "password", shares: first);

        Assert.Equal(1, await second.ExitCodeAsync());
        Proof.Reads("ERROR: the volume is in use by another MariaDB; stop that one, or use another volume", await second.LogsAsync());
        await HealthyAsync(first);
    }

    [Fault(FaultArea.Database, "the volume holds other files", Happens = "the server refuses to start, in one line", Data = "the files are left alone")]
    [Fact(Timeout = 300_000)]
    public async Task A_volume_with_other_files_is_left_alone()
    {
        await using var volume = await VolumeWithAsync("touch thesis.txt");
        await using var server = await StartAsync("db", "user", "password", shares: volume);

        Assert.Equal(1, await server.ExitCodeAsync());
        Proof.Reads("ERROR: the volume holds no database, but other files (thesis.txt, …); nothing was changed", await server.LogsAsync());
    }

    [Theory(Timeout = 300_000)]
    [InlineData("MARIADB_ROOT_PASSWORD is not set; a new volume needs it (or MARIADB_ROOT_PASSWORD_FILE)")]
    [InlineData("MARIADB_USER is set, but MARIADB_PASSWORD is not; a new volume needs both (or MARIADB_PASSWORD_FILE)", "MARIADB_ROOT_PASSWORD=r", "MARIADB_USER=u")]
    [InlineData("MARIADB_USER is root, which exists already; name another user or leave it out", "MARIADB_ROOT_PASSWORD=r", "MARIADB_USER=root", "MARIADB_PASSWORD=p")]
    [InlineData("MARIADB_ROOT_PASSWORD and MARIADB_ROOT_PASSWORD_FILE are both set; set one of them", "MARIADB_ROOT_PASSWORD=r", "MARIADB_ROOT_PASSWORD_FILE=/f")]
    [InlineData("MARIADB_ROOT_PASSWORD_FILE names /nowhere, which cannot be read as user mysql", "MARIADB_ROOT_PASSWORD_FILE=/nowhere")]
    [InlineData("MARIADB_DATABASE ends with a space, which MariaDB does not allow", "MARIADB_ROOT_PASSWORD=r", "MARIADB_DATABASE=db ")]
    [InlineData("MARIADB_DATABASE is longer than the 64 characters that MariaDB allows", "MARIADB_ROOT_PASSWORD=r", "MARIADB_DATABASE=ñ123456789ñ123456789ñ123456789ñ123456789ñ123456789ñ123456789ñ1234")]
    [InlineData("MARIADB_USER has a character above U+FFFF, which MariaDB does not allow in names", "MARIADB_ROOT_PASSWORD=r", "MARIADB_USER=🔑", "MARIADB_PASSWORD=p")]
    public async Task A_wrong_setting_is_named_in_one_line(string message, params string[] variables)
    {
        await using var container = await TestContainer.StartAsync("mariadb", [.. variables.SelectMany(variable => new[] { "--env", variable })]);

        Assert.Equal(1, await container.ExitCodeAsync());
        var lines = (await container.LogsAsync()).Trim().Split('\n');
        Assert.Single(lines);
        Assert.EndsWith($"ERROR: {message}", lines[0], StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Arguments_go_to_the_server()
    {
        // The second is what uvlhub's compose files pass.
        await using var container = await StartAsync("db", "user", "password", command: ["--max-connections=33", "--default-authentication-plugin=mysql_native_password"]);

        await using var connection = await ConnectAsync(container, "user", "password", "db");

        Assert.Equal("33", await ScalarAsync(connection, "SELECT @@max_connections"));
        var unknown = await container.ExecAsync("healthcheck.sh", "--no-such-check");
        Assert.Equal("healthcheck.sh: this image knows --connect and --innodb_initialized, not --no-such-check", unknown.Error);
    }

    private static Task<TestContainer> StartAsync(
        string database, string user, string password, string rootPassword = "root", string[]? options = null, string[]? command = null, TestContainer? shares = null) =>
        TestContainer.StartAsync(
            "mariadb",
            ["--publish", "127.0.0.1::3306", "--env", $"MARIADB_ROOT_PASSWORD={rootPassword}", "--env", $"MARIADB_DATABASE={database}",
             "--env", $"MARIADB_USER={user}", "--env", $"MARIADB_PASSWORD={password}", .. options ?? []],
            command,
            DataFolder,
            shares);

    /// <summary>A container that has ended and whose volume is what a shell's line left in it.</summary>
    private static async Task<TestContainer> VolumeWithAsync(string line)
    {
        var container = await TestContainer.StartAsync("mariadb", ["--workdir", DataFolder], ["sh", "-c", line], DataFolder);
        Assert.Equal(0, await container.ExitCodeAsync());
        return container;
    }

    private static Task<bool> HealthyAsync(TestContainer container) => TestContainer.EventuallyAsync(async () =>
        (await container.ExecAsync("healthcheck.sh", "--connect", "--innodb_initialized")).Succeeded ? true : throw new InvalidOperationException(await container.LogsAsync()));

    private static Task WrittenByAsync(TestContainer container, string version) =>
        container.ExecAsync("sh", "-c", $"printf {version} > {DataFolder}/mariadb_upgrade_info");

    private static async Task<MySqlConnection> ConnectAsync(TestContainer container, string user, string password, string database)
    {
        return await TestContainer.EventuallyAsync(async () =>
        {
            var settings = new MySqlConnectionStringBuilder
            {
                Server = "127.0.0.1",
                Port = (uint)await container.PortAsync(3306),
                UserID = user,
                Password = password,
                Database = database,
                Pooling = false,
                ConnectionTimeout = 5,
            };
            var connection = new MySqlConnection(settings.ConnectionString);
            try
            {
                await connection.OpenAsync(TestContext.Current.CancellationToken);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        });
    }

    private static async Task<string?> ScalarAsync(MySqlConnection connection, string sql)
    {
        await using var command = new MySqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task ExecuteAsync(MySqlConnection connection, string sql)
    {
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
