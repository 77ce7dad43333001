using UvlhubAspire.Runner.Snapshots;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

/// <summary>A database and a folder for its snapshots, gone after the test.</summary>
internal sealed class SnapshotScenario : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private SnapshotScenario(TestDatabase database, int keep, TimeProvider? time)
    {
        Database = database;
        Store = new SnapshotStore(Path.Combine(_folder.Path, "snapshots"), keep, time);
    }

    public TestDatabase Database { get; }

    public SnapshotStore Store { get; }

    public DatabaseAccess Access => new(Database.ConnectionString) { Container = Database.Server.ContainerName };

    /// <summary>The names of all files in the snapshots' folder.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(Store.Folder)
        ? [.. Directory.EnumerateFiles(Store.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)]
        : [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<SnapshotScenario> CreateAsync(
        MariaDBFixture fixture, string? name = null, string? user = null, int keep = 5, TimeProvider? time = null) =>
        new(await fixture.CreateDatabaseAsync(Token, name, user), keep, time);

    public static SnapshotScenario Of(TestDatabase database) => new(database, keep: 5, time: null);

    public Task ExecuteAsync(string sql) => Database.ExecuteAsync(sql, Token);

    public Task ExecuteAsRootAsync(string sql) => MariaDBServer.ExecuteAsync(Database.RootConnectionString, sql, Token);

    public Task<T> ReadAsync<T>(string sql) => Database.ReadAsync<T>(sql, Token);

    public Task<Snapshot> TakeAsync(SnapshotRequest? request = null, IProgress<SnapshotProgress>? progress = null) =>
        Store.CreateAsync(Access, request ?? new SnapshotRequest(), progress, Token);

    public Task RestoreAsync(Snapshot snapshot, IProgress<SnapshotProgress>? progress = null) =>
        Store.RestoreAsync(Access, snapshot, progress, Token);

    public Task<IReadOnlyList<string>> CompareAsync(Snapshot snapshot) => Store.CompareAsync(Access, snapshot, Token);

    /// <summary>All that is in the database, as root sees it.</summary>
    public Task<IReadOnlyList<string>> ContentAsync() => DatabaseContents.ReadAsync(Database.RootConnectionString);

    public void Dispose() => _folder.Dispose();
}

/// <summary>Calls back at once, on the reporting thread.</summary>
internal sealed class ImmediateProgress(Action<SnapshotProgress> report) : IProgress<SnapshotProgress>
{
    public void Report(SnapshotProgress value) => report(value);
}
