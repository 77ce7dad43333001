using Microsoft.Extensions.DependencyInjection;
using MySqlConnector;
using Xunit;
using static UvlhubAspire.Hosting.MariaDB.Tests.TestApplication;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>What a real server does.</summary>
public sealed class MariaDBTests(RunningMariaDB running) : IClassFixture<RunningMariaDB>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("shop", "shop")]
    [InlineData("wildcards", "shop_test")]
    [InlineData("odd", "a b-c'd\"e`f;g{h}%ñ")]
    [InlineData("spanish", "spanish")]
    public async Task The_user_can_work_in_every_database_whatever_its_name(string name, string databaseName)
    {
        Assert.Equal("1", await AskAsync(running[name], "CREATE TABLE t (x INT); INSERT INTO t VALUES (1); SELECT x FROM t; DROP TABLE t"));
        Assert.Equal(databaseName, await AskAsync(running[name], "SELECT DATABASE()"));
        Assert.Equal($"{RunningMariaDB.User}@%", await AskAsync(running[name], "SELECT CURRENT_USER()"));
    }

    [Fact(Timeout = 60_000)]
    public async Task The_user_has_no_rights_on_anything_else()
    {
        // A grant on shop_test would be one on this as well, were its _ a wildcard.
        await AskAsync(running.Server, "CREATE DATABASE shopXtest");
        foreach (var sql in (string[])["CREATE TABLE shopXtest.t (x INT)", "CREATE DATABASE more", "SELECT COUNT(*) FROM mysql.user"])
        {
            var refusal = await Assert.ThrowsAsync<MySqlException>(() => AskAsync(running["shop"], sql));
            Assert.Matches("denied (to|for) user 'shop_user'@", refusal.Message);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task The_servers_own_connection_string_is_roots() =>
        Assert.Equal("root@%", await AskAsync(running.Server, "SELECT CURRENT_USER()"));

    [Fact(Timeout = 60_000)]
    public async Task A_database_has_the_servers_collation_and_one_with_a_script_of_its_own_the_scripts()
    {
        const string Collation = "SELECT @@collation_database";
        Assert.Equal(await AskAsync(running.Server, "SELECT @@GLOBAL.collation_server"), await AskAsync(running["odd"], Collation));
        Assert.Equal("utf8mb4_spanish_ci", await AskAsync(running["spanish"], Collation));
    }

    [Fact(Timeout = 60_000)]
    public async Task Scripts_run_in_the_first_database_in_the_order_of_their_names() =>
        Assert.Equal("coffee", await AskAsync(running["shop"], "SELECT name FROM products LIMIT 1"));

    [Fact(Timeout = 60_000)]
    public async Task A_container_that_waits_for_a_database_finds_it_by_its_properties()
    {
        var client = await running.Application.ResourceNotifications.WaitForResourceAsync(
            "client", change => change.Snapshot.ExitCode is not null, Cancellation);

        Assert.Equal(0, client.Snapshot.ExitCode);
        Assert.Equal("1", await AskAsync(running["shop"], "SELECT COUNT(*) FROM products WHERE name = 'tea of a container'"));
    }

    [Fact(Timeout = 60_000)]
    public async Task Healthy_says_which_version_lets_whom_in()
    {
        var server = await running.Application.ResourceNotifications.WaitForResourceHealthyAsync(running.Server.Name, Cancellation);

        var report = Assert.Single(server.Snapshot.HealthReports);
        Assert.Matches(@"^MariaDB \d+\.\d+\.\d+-MariaDB.* answers shop_user$", report.Description);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_database_that_cannot_be_created_is_named_with_the_reason_and_is_not_healthy()
    {
        var logs = running.Application.Services.GetRequiredService<ResourceLoggerService>();
        var line = await Eventually.IsAsync(
            async () =>
            {
                await foreach (var lines in logs.GetAllAsync(running.Server).WithCancellation(Cancellation))
                {
                    var found = lines.FirstOrDefault(line => line.Content.Contains("was not created", StringComparison.Ordinal));
                    if (found.Content is not null)
                    {
                        return found.Content;
                    }
                }

                return "";
            },
            line => line.Length > 0,
            what: "a line about the database");

        Assert.Contains("Database 'broken' was not created: You have an error in your SQL syntax", line, StringComparison.Ordinal);
        await running.Application.ResourceNotifications.WaitForResourceAsync(
            "broken",
            change => change.Snapshot.HealthReports.Any(report =>
                report.Name == "broken_check" && report.Description?.Contains(" to database 'broken'", StringComparison.Ordinal) is true),
            Cancellation);
    }
}
