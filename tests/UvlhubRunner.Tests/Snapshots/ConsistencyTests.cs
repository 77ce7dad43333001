using MySqlConnector;
using UvlhubAspire.Runner;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

public sealed class ConsistencyTests(MariaDBFixture fixture)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Rows_written_while_a_snapshot_is_made_are_in_it_wholly_or_not_at_all()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FailedSnapshotTests.FillAsync(scenario, megabytes: 8);
        // Names that a dump reaches before and after the filler.
        await scenario.ExecuteAsync(
            "CREATE TABLE account (id INT PRIMARY KEY, money INT); CREATE TABLE zz_account LIKE account; INSERT INTO account VALUES (1, "
            + "1000000); INSERT INTO zz_account VALUES (1, 0)");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var transfers = 0;
        var writing = Task.Run(async () =>
        {
            await using var connection = new MySqlConnection(scenario.Database.ConnectionString);
            await connection.OpenAsync(Token);
            while (!stop.IsCancellationRequested)
            {
                await using var command = new MySqlCommand(
                    "START TRANSACTION; UPDATE account SET money = money - 1; UPDATE zz_account SET money = money + 1; COMMIT",
                    connection)
                { CommandTimeout = 200 };
                await command.ExecuteNonQueryAsync(Token);
                Interlocked.Increment(ref transfers);
            }
        }, Token);
        while (Volatile.Read(ref transfers) < 10)
        {
            await Task.Delay(10, Token);
        }

        var atFirstByte = -1;
        var snapshot = await scenario.TakeAsync(
            progress: new ImmediateProgress(_ => Interlocked.CompareExchange(ref atFirstByte, Volatile.Read(ref transfers), -1)));
        var during = Volatile.Read(ref transfers) - atFirstByte;
        await stop.CancelAsync();
        await writing;

        // Restoring compares what was dumped with what was counted at the same moment, and refuses any difference.
        await scenario.RestoreAsync(snapshot);
        Assert.Equal(1000000, await scenario.ReadAsync<long>("SELECT (SELECT money FROM account) + (SELECT money FROM zz_account)"));
        Assert.True(during > 1, $"{during} writes while the dump ran: the snapshot kept writers out");
    }

    [Theory(Timeout = 300_000)]
    [InlineData("Aria")]
    [InlineData("MyISAM")]
    public async Task A_table_without_transactions_that_changes_while_a_snapshot_is_made_makes_it_fail(string engine)
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FailedSnapshotTests.FillAsync(scenario, megabytes: 4);
        await scenario.ExecuteAsync($"CREATE TABLE plain (id INT PRIMARY KEY AUTO_INCREMENT) ENGINE={engine}");

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync(
            progress: new ImmediateProgress(_ => scenario.ExecuteAsync("INSERT INTO plain VALUES (NULL)").GetAwaiter().GetResult())));

        Assert.Contains("wrote to plain while", refusal.Problem, StringComparison.Ordinal);
        Assert.Empty(scenario.Files);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_table_that_appears_while_a_snapshot_is_made_makes_it_fail()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await FailedSnapshotTests.FillAsync(scenario, megabytes: 4);
        var created = 0;

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.TakeAsync(progress: new ImmediateProgress(_ =>
        {
            if (Interlocked.Exchange(ref created, 1) == 0)
            {
                scenario.ExecuteAsync("CREATE TABLE appeared (id INT PRIMARY KEY)").GetAwaiter().GetResult();
            }
        })));

        Assert.Contains("created or dropped tables", refusal.Problem, StringComparison.Ordinal);
        Assert.Empty(scenario.Files);
    }
}
