using System.Runtime.Versioning;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

/// <summary>What images/mariadb promises, on real containers.</summary>
[SupportedOSPlatform("linux")]
public sealed class MariaDBImageTests
{
    private const string DataFolder = "/var/lib/mysql";

    // One value each, so that they can be compared with what another server said.
    private const string AllRows = "SELECT CONCAT(COUNT(*), ' rows, ', SHA2(GROUP_CONCAT(x, '=', HEX(y) ORDER BY x), 256)) FROM db.t";
    private const string AllAccounts =
        "SELECT GROUP_CONCAT(User, '@', Host, ' ', Password ORDER BY User, Host) FROM mysql.user WHERE User NOT IN ('healthcheck', "
        + "'mariadb.sys')";

    [Fault(FaultArea.Checkout, "names and passwords have quotes, $, spaces and other alphabets")]
    [Theory(Timeout = 300_000)]
    [InlineData("uvlhubdb", "uvlhubdb_user", "p'a\"s`s\\w$o{r}d; DROP DATABASE mysql; -- # %s ")]
    [InlineData("a b-c'd\"e`f\\g.h_%", "o'b\"r`i\\e n;--", "'")]
    [InlineData("datenbänke", "señor", "contraseña 密码 🔑 \\' \\\\ \\")]
    public async Task Names_and_passwords_reach_the_server_as_they_are(string database, string user, string password)
    {
        await using var container = await StartAsync(database, user, password, rootPassword: $"root {password}");

        await using var connection = await ConnectAsync(container, user, password, database);
        await using var root = await ConnectAsync(container, "root", $"root {password}", "mysql");
        var names = (
            await ScalarAsync(connection, "SELECT DATABASE()"), await ScalarAsync(connection, "SELECT CURRENT_USER()"),
            await ScalarAsync(root, "SELECT CURRENT_USER()"));
        Proof.Happens("they reach MariaDB as they are: both users log in", () => Assert.Equal((database, $"{user}@%", "root@%"), names));
        await Proof.HappensAsync(
            "the application's user can make a table in its database", () => ExecuteAsync(connection, "CREATE TABLE t (x INT)"));
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

        scripts.Write(
            "3-program.sh",
            "#!/bin/sh\nmariadb -uroot -p\"$MARIADB_ROOT_PASSWORD\" \"$MARIADB_DATABASE\" -e \"INSERT INTO ran VALUES ('program')\"\n");
        TestContainer.Open(scripts, "3-program.sh");
        scripts.Write("4-sourced.sh", "docker_process_sql --database=\"$MARIADB_DATABASE\" <<< \"INSERT INTO ran VALUES ('sourced')\"\n");
        TestContainer.Open(scripts);
        await using var container = await StartAsync(
            "db", "user", "password", options: ["--volume", $"{scripts.Path}:/docker-entrypoint-initdb.d:ro"]);
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
        await using var container = await StartAsync(
            "db", "user", "password", options: ["--volume", $"{scripts.Path}:/docker-entrypoint-initdb.d:ro"]);
        Assert.Equal(1, await container.ExitCodeAsync());
        Assert.Contains(
            "ERROR: /docker-entrypoint-initdb.d/2.sql failed; the volume is still empty, the next start begins again",
            await container.LogsAsync(), StringComparison.Ordinal);

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

    [Fault(FaultArea.StandIn, "MariaDB is killed while it makes a new volume")]
    [Theory(Timeout = 300_000)]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(300)]
    [InlineData(600)]
    public async Task A_first_start_that_is_killed_is_finished_by_the_next(int milliseconds)
    {
        await using var container = await KilledWhilePreparingAsync(milliseconds);

        await container.StartAgainAsync();

        await using var connection = await ConnectAsync(container, "user", "password", "db");
        await using var root = await ConnectAsync(container, "root", "root", "mysql");
        var withoutPassword = await ScalarAsync(root, "SELECT COUNT(*) FROM global_priv WHERE User = 'root' AND Priv LIKE '%invalid%'");
        await Proof.HappensAsync(
            "the next start finishes it, whenever the kill came: both users log in, and the application's can make a table", async () =>
        {
            await ExecuteAsync(connection, "CREATE TABLE t (x INT)");
            Assert.Equal("0", withoutPassword);
        });
    }

    [Fact(Timeout = 300_000)]
    public async Task What_was_half_prepared_is_thrown_away_and_prepared_again()
    {
        await using var volume = await VolumeWithAsync(
            "mkdir .uvlhub-aspire.initialising && echo garbage > .uvlhub-aspire.initialising/ibdata1");
        await using var container = await StartAsync("db", "user", "password", shares: volume);

        await using var connection = await ConnectAsync(container, "user", "password", "db");
        Assert.Equal("db", await ScalarAsync(connection, "SELECT DATABASE()"));
    }

    [Fault(FaultArea.StandIn, "the volume says that a newer MariaDB wrote it")]
    [Fact(Timeout = 300_000)]
    public async Task A_volume_of_a_newer_MariaDB_is_refused_in_one_line_and_left_alone()
    {
        await using var container = await StartAsync("db", "user", "password");
        await HealthyAsync(container);
        // With its second start the volume has no traces of the entrypoint's own any more.
        await container.RestartAsync();
        await HealthyAsync(container);
        // No newer one can be had here: the volume's own note of its version is what a newer one would leave.
        await container.ExecAsync("sh", "-c", $"printf 12.0.2-MariaDB > {DataFolder}/mariadb_upgrade_info");
        await TestContainer.DockerAsync("stop", "--time", "30", container.Name);
        var before = await DigestAsync(container);

        await container.StartAgainAsync();

        Assert.Equal(1, await container.ExitCodeAsync());
        var last = (await container.LogsAsync()).Trim().Split('\n')[^1];
        Proof.Happens("the server refuses to start, in one line", () =>
            Assert.Contains(
                "ERROR: the volume was written by MariaDB 12.0.2, which is newer than this server (11.8.", last, StringComparison.Ordinal));
        Proof.Reads("(nothing was changed)", last);
        Proof.Data("no file of the volume is changed", before, await DigestAsync(container));
    }

    [Fault(FaultArea.StandIn, "the volume was written by an older MariaDB")]
    [Fact(Timeout = 900_000)]
    public async Task A_volume_that_MariaDB_10_11_wrote_is_upgraded_with_its_rows_and_accounts()
    {
        await using var volume = await OlderMariaDB.WriteVolumeAsync(
            DataFolder,
            """
            CREATE DATABASE db CHARACTER SET utf8mb4;
            CREATE USER 'user'@'%' IDENTIFIED BY 'password';
            GRANT ALL ON db.* TO 'user'@'%';
            CREATE USER 'root'@'%' IDENTIFIED BY 'root';
            GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
            CREATE TABLE db.t (x INT PRIMARY KEY AUTO_INCREMENT, y VARCHAR(50) NOT NULL, KEY (y)) ENGINE = InnoDB;
            INSERT INTO db.t (y) VALUES ('ñandú'), ('漢字'), ('');
            INSERT INTO db.t (y) SELECT CONCAT('row ', seq) FROM db.seq_1_to_5000;
            """,
            $"{AllRows}; {AllAccounts}");

        await using var container = await StartAsync("db", "user", "password", shares: volume.Container);

        // The only account that is new is the health check's, which 10.11's volume does not have.
        await HealthyAsync(container);
        await using var connection = await ConnectAsync(container, "user", "password", "db");
        await using var root = await ConnectAsync(container, "root", "root", "mysql");
        Assert.StartsWith("11.8.", await ScalarAsync(root, "SELECT VERSION()"), StringComparison.Ordinal);
        Proof.Data(
            "every row and every account is there, compared with what the older one answered last", volume.Answer,
            $"{await ScalarAsync(connection, AllRows)}\n{await ScalarAsync(root, AllAccounts)}");
        var note = await container.ExecAsync("cat", $"{DataFolder}/mariadb_upgrade_info");
        Proof.Happens("it is upgraded", () => Assert.StartsWith("11.8.", note.Output, StringComparison.Ordinal));
        var log = await container.LogsAsync();
        Proof.Reads("the volume was written by MariaDB 10.11.", log);
        await Proof.HappensAsync("the old system tables, with the accounts, are kept beside it", async () =>
        {
            var kept = await container.ExecAsync("sh", "-c", $"zcat {DataFolder}/system_mysql_backup_10.11.*.sql.gz");
            Assert.Contains("CREATE TABLE `global_priv`", kept.Output, StringComparison.Ordinal);
            Assert.Contains("('%','user',", kept.Output, StringComparison.Ordinal);
        });
        await ExecuteAsync(connection, "INSERT INTO t (y) VALUES ('after')");
    }

    [Fault(FaultArea.StandIn, "two servers open one volume")]
    [Fact(Timeout = 300_000)]
    public async Task A_second_server_on_one_volume_is_refused_in_one_line()
    {
        await using var first = await StartAsync("db", "user", "password");
        await HealthyAsync(first);
        await using (var connection = await ConnectAsync(first, "user", "password", "db"))
        {
            await ExecuteAsync(connection, "CREATE TABLE t (x INT PRIMARY KEY AUTO_INCREMENT, y VARCHAR(50) NOT NULL)");
            await ExecuteAsync(connection, "INSERT INTO t (y) VALUES ('one'), ('two')");
            var (rows, started) = (await ScalarAsync(connection, AllRows), await StartedAsync(first));

            await using var second = await StartAsync("db", "user", "password", shares: first);

            Assert.Equal(1, await second.ExitCodeAsync());
            var said = (await second.LogsAsync()).Trim();
            Proof.Happens("the second refuses to start, in one line", () => Assert.Single(said.Split('\n')));
            Proof.Reads("ERROR: the volume is in use by another MariaDB; stop that one, or use another volume", said);
            // The connection is the one from before, so nobody has restarted the first in the meantime.
            await ExecuteAsync(connection, "INSERT INTO t (y) VALUES ('three')");
            await Proof.HappensAsync("the first goes on", async () => Assert.Equal(started, await StartedAsync(first)));
            await ExecuteAsync(connection, "DELETE FROM t WHERE y = 'three'");
            Proof.Data("every row is there", rows, await ScalarAsync(connection, AllRows));
        }
    }

    [Fault(FaultArea.StandIn, "the volume holds other files")]
    [Fact(Timeout = 300_000)]
    public async Task A_volume_with_other_files_is_left_alone()
    {
        await using var volume = await VolumeWithAsync("echo chapter 1 > thesis.txt && mkdir figures && echo 1 > figures/.hidden");
        var before = await DigestAsync(volume);
        await using var server = await StartAsync("db", "user", "password", shares: volume);

        Assert.Equal(1, await server.ExitCodeAsync());
        var said = (await server.LogsAsync()).Trim();
        Proof.Happens("the server refuses to start, in one line", () => Assert.Single(said.Split('\n')));
        Proof.Reads("ERROR: the volume holds no database, but other files (figures, …); nothing was changed", said);
        Proof.Data("the files are left alone", before, await DigestAsync(volume));
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
        await using var container = await TestContainer.StartAsync(
            "mariadb", [.. variables.SelectMany(variable => new[] { "--env", variable })]);

        Assert.Equal(1, await container.ExitCodeAsync());
        var lines = (await container.LogsAsync()).Trim().Split('\n');
        Assert.Single(lines);
        Assert.EndsWith($"ERROR: {message}", lines[0], StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Arguments_go_to_the_server()
    {
        // The second is what uvlhub's compose files pass.
        await using var container = await StartAsync(
            "db", "user", "password", command: ["--max-connections=33", "--default-authentication-plugin=mysql_native_password"]);

        await using var connection = await ConnectAsync(container, "user", "password", "db");

        Assert.Equal("33", await ScalarAsync(connection, "SELECT @@max_connections"));
        var unknown = await container.ExecAsync("healthcheck.sh", "--no-such-check");
        Assert.Equal("healthcheck.sh: this image knows --connect and --innodb_initialized, not --no-such-check", unknown.Error);
    }

    private static Task<TestContainer> StartAsync(
        string database, string user, string password, string rootPassword = "root", string[]? options = null, string[]? command = null,
        TestContainer? shares = null) =>
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

    /// <summary>A container that was killed while its volume was not ready yet; where a kill came too late, the next one
    /// comes sooner.</summary>
    private static async Task<TestContainer> KilledWhilePreparingAsync(int milliseconds)
    {
        for (var pause = milliseconds; ; pause /= 2)
        {
            var container = await StartAsync("db", "user", "password");
            await TestContainer.EventuallyAsync(async () =>
                (await container.LogsAsync()).Contains("the volume is empty: preparing it", StringComparison.Ordinal)
                    ? true
                    : throw new InvalidOperationException("nothing is prepared yet"));
            await Task.Delay(pause, TestContext.Current.CancellationToken);
            await container.KillAsync();
            if (!(await DigestAsync(container)).Contains("./.uvlhub-aspire.finished"))
            {
                return container;
            }

            await container.DisposeAsync();
            Assert.True(pause > 0, "the volume was ready before it could be killed");
        }
    }

    private static Task<bool> HealthyAsync(TestContainer container) => TestContainer.EventuallyAsync(async () =>
        (await container.ExecAsync("healthcheck.sh", "--connect", "--innodb_initialized")).Succeeded
            ? true
            : throw new InvalidOperationException(await container.LogsAsync()));

    /// <summary>Every file of the volume of a container that has ended, with its content, as it looks from outside.</summary>
    private static async Task<string[]> DigestAsync(TestContainer container)
    {
        // Owners are the entrypoint's to set; what a file says, and which there are, is not.
        var files = await TestContainer.DockerAsync(
            "run", "--rm", "--network", "none", "--volumes-from", container.Name, "--workdir", DataFolder, "--entrypoint", "sh",
            await TestContainer.EnsureImageAsync("mariadb"), "-c", "find . | sort; find . -type f -exec sha256sum {} + | sort");
        return files.Split('\n');
    }

    private static async Task<string> StartedAsync(TestContainer container) =>
        await TestContainer.DockerAsync("inspect", "--format", "{{.State.StartedAt}} {{.State.Pid}}", container.Name);

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
        return Convert.ToString(
            await command.ExecuteScalarAsync(TestContext.Current.CancellationToken), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task ExecuteAsync(MySqlConnection connection, string sql)
    {
        await using var command = new MySqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
