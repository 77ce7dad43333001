using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

public sealed class ExactFloatTests(MariaDBFixture fixture)
{
    [Fact(Timeout = 300_000)]
    public async Task A_restore_keeps_float_values_that_a_dump_alone_would_round()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync("""
            CREATE TABLE metrics (
                dataset VARCHAR(50), day DATE, raw VARBINARY(8), stamp TIMESTAMP, value FLOAT, other FLOAT NOT NULL, fixed FLOAT(7,3), half FLOAT AS (value / 2) STORED,
                changed TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (dataset, day, raw, stamp));
            INSERT INTO metrics (dataset, day, raw, stamp, value, other, fixed) VALUES
                ('ñ''"\\`', '2024-02-29', x'00ff27', '2024-01-01 12:00:00', 16777216, 8388607.5, 9999.999), ('b', '1999-12-31', x'', '2024-07-01 12:00:00', 1e0/3, 0.1, 0.1),
                ('c', '1999-12-31', x'', '2024-07-01 12:00:00', NULL, -3.4028234e38, NULL), ('d', '1999-12-31', x'', '2024-07-01 12:00:00', 1.17549435e-38, 0, -0.001);
            CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT);
            CREATE TRIGGER watch BEFORE UPDATE ON metrics FOR EACH ROW INSERT INTO log VALUES (NULL);
            """);
        var before = await scenario.ContentAsync();

        var snapshot = await scenario.TakeAsync();
        await scenario.ExecuteAsync("UPDATE metrics SET value = 1; DELETE FROM log");
        await scenario.RestoreAsync(snapshot);

        Assert.Equal(before, await scenario.ContentAsync());
        Assert.Contains(before, line => line.Contains("16777216", StringComparison.Ordinal));
        Assert.Equal(0, await scenario.ReadAsync<long>("SELECT COUNT(*) FROM log"));
    }

    [Theory(Timeout = 300_000)]
    [InlineData("CREATE TABLE loose (value FLOAT); INSERT INTO loose VALUES (16777216)")]
    [InlineData("CREATE TABLE loose (value FLOAT PRIMARY KEY); INSERT INTO loose VALUES (16777216)")]
    [InlineData("CREATE TABLE loose (id INT PRIMARY KEY, value FLOAT UNIQUE); INSERT INTO loose VALUES (1, 16777216)")]
    public async Task A_snapshot_is_refused_where_rounded_values_could_not_be_made_exact_again(string sql)
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync(sql);

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync());

        Assert.Equal(SnapshotStore.SnapshotFailed, refusal.State);
        Assert.Contains("loose", refusal.Problem, StringComparison.Ordinal);
        Assert.Empty(scenario.Files);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_table_without_a_key_is_no_obstacle_while_a_dump_rounds_nothing()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync("CREATE TABLE loose (value FLOAT); INSERT INTO loose VALUES (0.5), (0.1), (NULL)");
        var before = await scenario.ContentAsync();

        var snapshot = await scenario.TakeAsync();
        await scenario.ExecuteAsync("DELETE FROM loose");
        await scenario.RestoreAsync(snapshot);

        Assert.Equal(before, await scenario.ContentAsync());
    }
}
