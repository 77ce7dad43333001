using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

public sealed class DamagedSnapshotTests(MariaDBFixture fixture)
{
    public static TheoryData<string> Damages =>
        ["one byte changed", "cut off", "something appended", "empty", "another dump, with its manifest adapted, cut before its last line"];

    [Fault(FaultArea.Migration, "a snapshot's file is damaged")]
    [Theory(Timeout = 300_000)]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_snapshot_is_refused_before_the_database_is_touched(string damage)
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY, word TEXT); INSERT INTO t VALUES (1, 'before')");
        var snapshot = await scenario.TakeAsync();
        await scenario.ExecuteAsync("UPDATE t SET word = 'after'");
        await DamageAsync(damage, snapshot);
        var before = await scenario.ContentAsync();

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.RestoreAsync(snapshot));

        Proof.Happens("refused", () => Assert.Equal(SnapshotStore.SnapshotDamaged, refusal.State));
        Proof.Reads(snapshot.File, refusal.Message);
        Proof.Happens(
            "before the database is touched",
            () => Assert.Contains("was not touched", refusal.Message, StringComparison.Ordinal));
        Proof.Data("every row and the schema are compared: as before", before, await scenario.ContentAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_snapshot_of_another_database_is_refused()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        var snapshot = await scenario.TakeAsync();
        var other = await fixture.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await other.ExecuteAsync("CREATE TABLE t (id INT PRIMARY KEY)", TestContext.Current.CancellationToken);

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.Store.RestoreAsync(
            new DatabaseAccess(other.ConnectionString) { Container = other.Server.ContainerName }, snapshot, null,
            TestContext.Current.CancellationToken));

        Assert.Contains(scenario.Database.Name, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, await other.ReadAsync<long>("SELECT COUNT(*) FROM t", TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_is_no_snapshot_is_not_listed()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        var snapshot = await scenario.TakeAsync();
        foreach (var (file, text) in new[] { ("a.json", "{}"), ("b.json", "not json"), ("c.sql.gz", ""), ("d.json", "null"), ("e.sql.gz.partial", "") })
        {
            await File.WriteAllTextAsync(Path.Combine(scenario.Store.Folder, file), text, TestContext.Current.CancellationToken);
        }

        await File.WriteAllTextAsync(Path.Combine(scenario.Store.Folder, "b.sql.gz"), "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(scenario.Store.Folder, "d.sql.gz"), "", TestContext.Current.CancellationToken);

        Assert.Equal([snapshot.Name], scenario.Store.List().Select(listed => listed.Name));
        Assert.Null(scenario.Store.Find("../" + snapshot.Name));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_snapshot_that_somebody_deleted_is_refused_with_the_way_to_the_others()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        var snapshot = await scenario.TakeAsync();
        File.Delete(snapshot.File);

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(() => scenario.RestoreAsync(snapshot));

        Assert.Contains(snapshot.Name, refusal.Problem, StringComparison.Ordinal);
        Assert.Contains("'snapshots' lists", refusal.Remedy, StringComparison.Ordinal);
    }

    private static async Task DamageAsync(string damage, Snapshot snapshot)
    {
        var bytes = await File.ReadAllBytesAsync(snapshot.File, TestContext.Current.CancellationToken);
        switch (damage)
        {
            case "one byte changed":
                bytes[bytes.Length / 2] ^= 1;
                break;
            case "cut off":
                bytes = bytes[..^20];
                break;
            case "something appended":
                bytes = [.. bytes, 0, 0, 0, 0];
                break;
            case "empty":
                bytes = [];
                break;
            default:
                using (var compressed = new MemoryStream())
                {
                    using (var gzip = new GZipStream(compressed, CompressionMode.Compress, leaveOpen: true))
                    {
                        gzip.Write(Encoding.UTF8.GetBytes("CREATE TABLE t (id INT);\n"));
                    }

                    bytes = compressed.ToArray();
                }

                var manifest = Path.ChangeExtension(Path.ChangeExtension(snapshot.File, null), ".json");
                var facts = JsonNode.Parse(await File.ReadAllTextAsync(manifest, TestContext.Current.CancellationToken))!;
                facts["sha256"] = Convert.ToHexStringLower(SHA256.HashData(bytes));
                facts["bytes"] = bytes.Length;
                facts["dumpBytes"] = 25;
                await File.WriteAllTextAsync(manifest, facts.ToJsonString(), TestContext.Current.CancellationToken);
                break;
        }

        await File.WriteAllBytesAsync(snapshot.File, bytes, TestContext.Current.CancellationToken);
    }
}
