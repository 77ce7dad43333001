using System.Text.Json.Nodes;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

/// <summary>What tells a database from its snapshot, and what does not.</summary>
public sealed class ComparisonTests(MariaDBFixture fixture)
{
    private const string Programs = """
        CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT);
        INSERT INTO t VALUES (1, 1);
        CREATE VIEW v AS SELECT a FROM t;
        CREATE TRIGGER watch BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;
        CREATE FUNCTION plus(p INT) RETURNS INT DETERMINISTIC RETURN p + 1;
        CREATE PROCEDURE nothing(IN p INT) SELECT p;
        CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO INSERT INTO t (a) VALUES (1);
        CREATE SEQUENCE numbers START WITH 5;
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("VIEW v", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a")]
    [InlineData("TRIGGER watch", "CREATE OR REPLACE TRIGGER watch BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 2")]
    [InlineData("TRIGGER watch", "CREATE OR REPLACE TRIGGER watch AFTER INSERT ON t FOR EACH ROW SET @a = 1")]
    [InlineData("FUNCTION plus", "CREATE OR REPLACE FUNCTION plus(p INT) RETURNS INT DETERMINISTIC RETURN p + 2")]
    [InlineData("PROCEDURE nothing", "CREATE OR REPLACE PROCEDURE nothing(IN p BIGINT) SELECT p")]
    [InlineData("EVENT daily", "ALTER EVENT daily DISABLE")]
    [InlineData("SEQUENCE numbers", "SELECT NEXTVAL(numbers)")]
    public async Task What_a_program_does_and_what_a_sequence_gives_next_count(string item, string sql)
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync(Programs);
        var before = await scenario.ContentAsync();
        var snapshot = await scenario.TakeAsync();
        Assert.Empty(await scenario.CompareAsync(snapshot));

        await scenario.ExecuteAsync(sql);

        Assert.Equal([$"another definition: {item}"], await scenario.CompareAsync(snapshot));
        await scenario.RestoreAsync(snapshot);
        Assert.Equal(before, await scenario.ContentAsync());
    }

    [Theory(Timeout = 300_000)]
    [InlineData("InnoDB")]
    [InlineData("MyISAM")]
    public async Task Generated_columns_are_compared_by_the_data_alone(string engine)
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync($"""
            CREATE TABLE t (
                id INT PRIMARY KEY, a INT, f FLOAT, stamp TIMESTAMP NULL, word VARCHAR(10), v INT AS (a * 2) VIRTUAL,
                w VARCHAR(40) AS (CONCAT('x', a, REPEAT('z', a))) VIRTUAL, s INT AS (a * 3) STORED) ENGINE={engine};
            INSERT INTO t (id, a, f, stamp, word) SELECT seq, seq, 0.5, '2026-01-01', 'ñ' FROM seq_1_to_10;
            """);
        var snapshot = await scenario.TakeAsync();

        // Each of these changes what CHECKSUM TABLE says, and none the data.
        await scenario.ExecuteAsync("SELECT * FROM t WHERE id = 1; UPDATE t SET a = a WHERE id = 3");
        await scenario.ExecuteAsRootAsync("FLUSH TABLES");
        Assert.Empty(await scenario.CompareAsync(snapshot));
        await scenario.TakeAsync();

        foreach (var change in (string[])["a = 11", "f = 16777217", "stamp = NULL", "word = 'n'"])
        {
            await scenario.ExecuteAsync($"UPDATE t SET {change} WHERE id = 4");
            Assert.Contains("other values", Assert.Single(await scenario.CompareAsync(snapshot)), StringComparison.Ordinal);
            await scenario.RestoreAsync(snapshot);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task Rounded_values_in_a_history_are_refused_and_exact_ones_are_not()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync("CREATE TABLE h (id INT PRIMARY KEY, f FLOAT) WITH SYSTEM VERSIONING; INSERT INTO h VALUES (1, 0.5)");
        await scenario.TakeAsync();
        await scenario.ExecuteAsync("UPDATE h SET f = 16777217; UPDATE h SET f = 0.5");

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync());

        Assert.Contains("history: h", refusal.Problem, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_float_is_found_by_a_timestamp_whatever_the_servers_time_zone()
    {
        await using var server = await MariaDBServer.StartAsync(Token, "--default-time-zone=+02:00");
        using var scenario = SnapshotScenario.Of(await server.CreateDatabaseAsync(Token));
        await scenario.ExecuteAsync(
            "CREATE TABLE m (stamp TIMESTAMP PRIMARY KEY, f FLOAT); INSERT INTO m VALUES ('2026-07-01 12:00:00', 16777216)");
        var before = await scenario.ContentAsync();

        var snapshot = await scenario.TakeAsync();
        await scenario.ExecuteAsync("DELETE FROM m");
        await scenario.RestoreAsync(snapshot);

        Assert.Equal(before, await scenario.ContentAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_snapshot_from_before_definitions_and_numbers_is_listed_compared_and_restored()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync(Programs);
        var before = await scenario.ContentAsync();
        var name = (await scenario.TakeAsync(new SnapshotRequest { Reason = "backup" })).Name;
        var file = Path.Combine(scenario.Store.Folder, $"{name}.json");
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(file, Token))!;
        manifest.AsObject().Remove("number");
        manifest["content"]!.AsObject().Remove("definitions");
        foreach (var table in manifest["content"]!["tables"]!.AsArray())
        {
            table!.AsObject().Remove("sum");
        }

        await File.WriteAllTextAsync(file, manifest.ToJsonString(), Token);

        var old = Assert.Single(scenario.Store.List());
        Assert.Equal((SnapshotClass.ByHand, 0), (old.Class, old.Number));
        Assert.Empty(await scenario.CompareAsync(old));
        await scenario.ExecuteAsync("DELETE FROM t");
        await scenario.RestoreAsync(old);
        Assert.Equal(before, await scenario.ContentAsync());
        var next = await scenario.TakeAsync();
        Assert.Equal([next.Name, name], scenario.Store.List().Select(snapshot => snapshot.Name));
        Assert.Equal(1, next.Number);
    }
}
