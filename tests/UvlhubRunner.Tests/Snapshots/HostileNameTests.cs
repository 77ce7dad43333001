using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

public sealed class HostileNameTests(MariaDBFixture fixture)
{
    [Theory(Timeout = 300_000)]
    [InlineData("uvl hub's \"db\"", "o'neil \"u\"")]
    [InlineData("`; DROP DATABASE x; --", "$(touch /tmp/x) `id`")]
    [InlineData("--host=elsewhere", "-uroot")]
    [InlineData("ñandú_測試", "usuária")]
    [InlineData("100%_\\n", "a%b_c\\")]
    [InlineData("a.b/c", "x@y.z")]
    [InlineData("now -- Table structure for ", "tab\tand;semi")]
    public async Task A_database_of_any_name_is_dumped_and_restored_and_its_neighbours_are_not_touched(string name, string user)
    {
        // A name is free once in a run of the tests, and a server is shared.
        var unique = Guid.NewGuid().ToString("N")[..6];
        using var scenario = await SnapshotScenario.CreateAsync(fixture, $"{name}{unique}", $"{user}{unique}");
        var like = await scenario.Database.Server.CreateDatabaseAsync(TestContext.Current.CancellationToken, $"{name}X{unique}");
        await like.ExecuteAsync("CREATE TABLE kept (id INT PRIMARY KEY)", TestContext.Current.CancellationToken);
        await scenario.ExecuteAsync("""
            CREATE TABLE `t ``%'" ñ` (id INT PRIMARY KEY); INSERT INTO `t ``%'" ñ` VALUES (1), (2);
            CREATE VIEW `v ``%'"` AS SELECT id FROM `t ``%'" ñ`;
            CREATE TRIGGER `g ``%'"` BEFORE INSERT ON `t ``%'" ñ` FOR EACH ROW SET NEW.id = NEW.id + 1;
            """);

        var (before, neighbour) = (await scenario.ContentAsync(), await DatabaseContents.ReadAsync(like.RootConnectionString));

        var snapshot = await scenario.TakeAsync();
        await scenario.ExecuteAsync("DROP TABLE `t ``%'\" ñ`; CREATE TABLE `after` (id INT)");
        await scenario.RestoreAsync(snapshot);

        Assert.Equal(scenario.Database.Name, snapshot.Database);
        Assert.Equal(3, await scenario.ReadAsync<long>("SELECT SUM(id) FROM `v ``%'\"`"));
        Assert.Empty(await scenario.CompareAsync(snapshot));
        Assert.Equal(before, await scenario.ContentAsync());
        Assert.Equal(neighbour, await DatabaseContents.ReadAsync(like.RootConnectionString));
    }

    [Theory]
    [InlineData("001", "_001")]
    [InlineData("../../etc/x", "_..-..-etc-x")]
    [InlineData("a b'\"`ñ", "_a-b----")]
    public async Task A_snapshot_is_named_after_its_time_and_revision_in_letters_that_every_file_system_takes(
        string revision, string ending)
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync(
            "CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES "
            + $"('{revision.Replace("'", "''", StringComparison.Ordinal)}')");

        var snapshot = await scenario.TakeAsync();

        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ_", snapshot.Name);
        Assert.EndsWith(ending, snapshot.Name, StringComparison.Ordinal);
        Assert.Equal([revision], snapshot.Revisions);
        Assert.Equal([$"{snapshot.Name}.json", $"{snapshot.Name}.sql.gz"], scenario.Files);
        Assert.Equal(snapshot.Name, scenario.Store.Find(snapshot.Name)?.Name);
    }
}
