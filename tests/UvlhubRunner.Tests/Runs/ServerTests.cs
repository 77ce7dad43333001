using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>A server that is late, away, or of another opinion about who may log in.</summary>
public sealed class ServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Database, "MariaDB starts half a minute late", Happens = "the migrator waits, says why now and then, and goes on by itself", Data = "the first migration and its rows are there")]
    [Fault(FaultArea.Migration, "MariaDB is killed in the middle of a migration", Happens = "the migrator waits for it, puts everything back and migrates again", Data = "every row is compared: all there, and the revision ran once")]
    [Fact(Timeout = 300_000)]
    public async Task A_server_that_starts_half_a_minute_late_is_waited_for_and_one_that_is_killed_in_an_upgrade_is_too()
    {
        await using var server = await PinnedServer.CreateAsync(Cancellation);
        await using var minihub = Minihub.Create(server.Place);
        await using var toolbox = await minihub.StartToolboxAsync();
        using (var runner = minihub.Start())
        {
            await Task.Delay(TimeSpan.FromSeconds(30), Cancellation);
            Proof.Reads("nothing listens there yet", runner.Output, "MariaDB starts half a minute late");
            await server.StartAsync(Cancellation);
            var late = await runner.WaitAsync(Cancellation);
            Assert.True(late.ExitCode == 0, late.Output);
            // A line now and then, not one per attempt.
            Assert.True(late.Output.Split('\n').Count(line => line.Contains("trying again", StringComparison.Ordinal)) < 10, late.Output);
        }

        var users = await minihub.TextAsync("SELECT GROUP_CONCAT(email ORDER BY id) FROM user");
        minihub.WriteRevision(
            "005",
            "004",
            "op.add_column('user', sa.Column('nickname', sa.String(50)))",
            "op.execute('DELETE FROM download')",
            "op.execute('DO SLEEP(3)')",
            "op.execute(\"UPDATE user SET nickname = 'n'\")");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
            await server.KillAsync(Cancellation);
            await Task.Delay(TimeSpan.FromSeconds(10), Cancellation);
            await server.StartAgainAsync(Cancellation);
            var result = await runner.WaitAsync(Cancellation);

            Assert.True(result.ExitCode == 0, result.Output);
            Proof.Reads("was killed before it was done; putting things back first", result.Output, "MariaDB is killed in the middle of a migration");
            Assert.Contains("was restored and verified", result.Output, StringComparison.Ordinal);
        }

        Assert.Equal("005", await minihub.RevisionAsync());
        Assert.Equal(users, await minihub.TextAsync("SELECT GROUP_CONCAT(email ORDER BY id) FROM user"));
        Assert.Equal("0", await minihub.TextAsync("SELECT COUNT(*) FROM user WHERE nickname IS NULL"));
    }

    [Fault(FaultArea.Database, "MariaDB never answers", Happens = "given up at the limit, with the last cause and the log to look into", Data = "nothing was begun")]
    [Fact(Timeout = 120_000)]
    public async Task A_server_that_never_answers_is_given_up_in_time_with_the_last_cause()
    {
        await using var server = await PinnedServer.CreateAsync(Cancellation);
        await using var minihub = Minihub.Create(server.Place);

        var result = await minihub.RunAsync("--Uvlhub:Migrator:ConnectTimeout=00:00:02");

        Assert.Equal(4, result.ExitCode);
        Proof.Reads($"MariaDB did not answer at 127.0.0.1:{server.Place.HostPort} within 2 s: nothing listens there yet", result.Output);
        Assert.Contains($"docker logs {server.Place.Container}", result.Output, StringComparison.Ordinal);
    }
}

public sealed class CredentialTests(MariaDBFixture fixture)
{
    [Fault(FaultArea.Database, "an old volume has other credentials", Happens = "said at once, with the key, its line in .env and the two ways out", Data = "untouched")]
    [Theory(Timeout = 120_000)]
    [InlineData("ConnectionStrings__uvlhubdb", "MARIADB_PASSWORD")]
    [InlineData("ConnectionStrings__db", "MARIADB_ROOT_PASSWORD")]
    public async Task A_volume_with_other_credentials_is_explained_at_once_with_the_two_ways_out(string connection, string key)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        minihub.Settings[connection] = minihub.Database.ConnectionString(
            connection.EndsWith("__db", StringComparison.Ordinal) ? "root" : minihub.Database.User,
            "a wrong password",
            connection.EndsWith("__db", StringComparison.Ordinal) ? "" : minihub.Database.Name);
        var watch = System.Diagnostics.Stopwatch.StartNew();

        var result = await minihub.RunAsync();

        Assert.Equal(4, result.ExitCode);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"{watch.Elapsed} for something that no waiting mends");
        Assert.DoesNotContain("trying again", result.Output, StringComparison.Ordinal);
        Assert.Contains($".env:", result.Output, StringComparison.Ordinal);
        Proof.Reads($"({key})", result.Output);
        Assert.Contains("1. Put the old values back", result.Output, StringComparison.Ordinal);
        Assert.Contains("2. Start with an empty database", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a wrong password", result.Output, StringComparison.Ordinal);
    }
}
