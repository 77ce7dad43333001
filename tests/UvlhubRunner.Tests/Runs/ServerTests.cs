using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>A server that is late, away, or of another opinion about who may log in.</summary>
public sealed class ServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Database, "MariaDB starts half a minute late")]
    [Fact(Timeout = 300_000)]
    public async Task A_server_that_starts_half_a_minute_late_is_waited_for()
    {
        await using var server = await PinnedServer.CreateAsync(Cancellation);
        await using var minihub = Minihub.Create(server.Place);
        await using var toolbox = await minihub.StartToolboxAsync();
        using var runner = minihub.Start();
        await Task.Delay(TimeSpan.FromSeconds(30), Cancellation);
        Proof.Reads("nothing listens there yet", runner.Output);
        await server.StartAsync(Cancellation);

        var late = await runner.WaitAsync(Cancellation);

        Proof.Happens("the migrator waits, says why now and then, and not at each attempt", () => Assert.InRange(
            late.Output.Split('\n').Count(line => line.Contains("trying again", StringComparison.Ordinal)), 1, 9));
        Proof.Happens("and goes on by itself", () => Assert.True(late.ExitCode == 0, late.Output));
        Assert.Equal("at-head", await minihub.StateAsync());
    }

    [Fault(FaultArea.Migration, "MariaDB is killed in the middle of a migration")]
    [Fact(Timeout = 300_000)]
    public async Task A_server_that_is_killed_in_an_upgrade_is_waited_for_and_the_upgrade_is_made_anew()
    {
        await using var server = await PinnedServer.CreateAsync(Cancellation);
        await using var minihub = Minihub.Create(server.Place);
        await using var toolbox = await minihub.StartToolboxAsync();
        await server.StartAsync(Cancellation);
        await minihub.SucceedAsync();
        // Twice the revision would make other rows of them.
        minihub.WriteRevision(
            "005",
            "004",
            "op.add_column('user', sa.Column('nickname', sa.String(50)))",
            "op.execute('DELETE FROM download')",
            "op.execute(\"UPDATE user SET email = CONCAT('x', email)\")",
            "op.execute('DO SLEEP(3)')",
            "op.execute(\"UPDATE user SET nickname = 'n'\")");
        var (_, undisturbed, _) = await minihub.RehearseAsync();
        using var runner = minihub.Start();
        await Eventually.IsAsync(
            () => minihub.TextAsync("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'"),
            count => count == "1", what: "the middle of the revision");
        await server.KillAsync(Cancellation);
        await Task.Delay(TimeSpan.FromSeconds(10), Cancellation);
        await server.StartAgainAsync(Cancellation);

        var result = await runner.WaitAsync(Cancellation);

        Proof.Happens("the migrator waits for it", () => Assert.True(result.ExitCode == 0, result.Output));
        Proof.Reads("was killed before it was done; putting things back first", result.Output);
        Proof.Happens(
            "puts everything back and migrates again",
            () => Assert.Contains("was restored and verified", result.Output, StringComparison.Ordinal));
        Proof.Data("every row and the schema are compared: as after an undisturbed migration", undisturbed, await minihub.ContentAsync());
    }

    [Fault(FaultArea.Database, "MariaDB never answers")]
    [Fact(Timeout = 120_000)]
    public async Task A_server_that_never_answers_is_given_up_in_time_with_the_last_cause()
    {
        await using var server = await PinnedServer.CreateAsync(Cancellation);
        await using var minihub = Minihub.Create(server.Place);

        var result = await minihub.RunAsync("--Uvlhub:Migrator:ConnectTimeout=00:00:02");

        Proof.Happens("given up at the limit", () => Assert.Equal(4, result.ExitCode));
        Proof.Reads($"MariaDB did not answer at 127.0.0.1:{server.Place.HostPort} within 2 s: nothing listens there yet", result.Output);
        Proof.Happens("with the last cause and the log to look into", () =>
        {
            Assert.Contains("nothing listens there yet", result.Output, StringComparison.Ordinal);
            Assert.Contains($"docker logs {server.Place.Container}", result.Output, StringComparison.Ordinal);
        });
    }
}

public sealed class CredentialTests(MariaDBFixture fixture)
{
    [Fault(FaultArea.Database, "an old volume has other credentials")]
    [Theory(Timeout = 120_000)]
    [InlineData("ConnectionStrings__uvlhubdb", "MARIADB_PASSWORD")]
    [InlineData("ConnectionStrings__db", "MARIADB_ROOT_PASSWORD")]
    public async Task A_volume_with_other_credentials_is_explained_at_once_with_the_two_ways_out(string connection, string key)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE user (email VARCHAR(255)); INSERT INTO user VALUES ('one@example.com')");
        var before = await minihub.ContentAsync();
        minihub.Settings[connection] = minihub.Database.ConnectionString(
            connection.EndsWith("__db", StringComparison.Ordinal) ? "root" : minihub.Database.User,
            "a wrong password",
            connection.EndsWith("__db", StringComparison.Ordinal) ? "" : minihub.Database.Name);

        var result = await minihub.RunAsync();

        Assert.Equal(4, result.ExitCode);
        Proof.Happens("said without trying again", () => Assert.DoesNotContain("trying again", result.Output, StringComparison.Ordinal));
        Proof.Happens(
            "with the key and its line in .env",
            () => Assert.Matches($@"\.env:\d+[^\n]*\({key}\)|\({key}\)[^\n]*\.env:\d+", result.Output));
        Proof.Reads($"({key})", result.Output);
        Proof.Happens("and the two ways out", () =>
        {
            Assert.Contains("1. Put the old values back", result.Output, StringComparison.Ordinal);
            Assert.Contains("2. Start with an empty database", result.Output, StringComparison.Ordinal);
        });
        Proof.Data("every row and the schema are compared: as before", before, await minihub.ContentAsync());
        Assert.DoesNotContain("a wrong password", result.Output, StringComparison.Ordinal);
    }
}
