using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Migration;

/// <summary>The snapshots of the one database that the runner works on, with progress in the log.</summary>
internal sealed partial class SnapshotKeeper(
    RunnerSettings settings, SnapshotStore store, TimeProvider time, ILogger<SnapshotKeeper> logger)
{
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(2);

    public string Folder => store.Folder;

    /// <summary>The database's snapshots, the newest first.</summary>
    public IReadOnlyList<Snapshot> List() => [.. store.List().Where(snapshot => snapshot.Database == settings.Database)];

    /// <summary>The snapshot of this name; <see langword="null"/> if there is none.</summary>
    public Snapshot? Find(string name) => List().FirstOrDefault(snapshot => snapshot.Name == name);

    /// <summary>
    /// Makes sure that there is a snapshot of the database as it is, and keeps it from being deleted until
    /// <see cref="Release"/>. Where the newest one of these revisions is of this very content, it is that one: a migration
    /// that fails again and again shall not push older snapshots out. What was set aside is never what a migration starts
    /// from.
    /// </summary>
    /// <param name="cancellationToken">Ends the dump; nothing of it is left then.</param>
    public async Task<Snapshot> EnsureAsync(IReadOnlyList<string> revisions, string reason, CancellationToken cancellationToken)
    {
        var newest = List().FirstOrDefault(snapshot =>
            (snapshot.Revisions ?? []).SequenceEqual(revisions, StringComparer.Ordinal)
            && (snapshot.Class != SnapshotClass.SetAside || SnapshotReason.ClassOf(reason) == SnapshotClass.SetAside));
        if (newest is not null && await IsContentAsync(newest, cancellationToken))
        {
            newest = await store.ReuseAsync(newest, reason, cancellationToken);
            store.Protect(newest.Name);
            LogReused(newest.Name, store.Folder);
            return newest;
        }

        return await CreateAsync(reason, protect: true, cancellationToken);
    }

    public async Task<Snapshot> CreateAsync(string reason, bool protect, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("snapshot", "DUMP");
        var started = time.GetTimestamp();
        var snapshot = await store.CreateAsync(
            Access, new SnapshotRequest { Checkout = settings.Checkout.Path, Reason = reason, Protect = protect }, Progress(),
            cancellationToken);
        activity?.SetTag("uvlhub.snapshot", snapshot.Name);
        LogCreated(
            snapshot.Name, store.Folder, snapshot.Content.Rows, snapshot.Bytes / 1024.0 / 1024.0,
            time.GetElapsedTime(started).TotalSeconds);
        return snapshot;
    }

    /// <summary>Creates the folder, for this user alone.</summary>
    public void CreateFolder() => store.CreateFolder();

    /// <summary>Takes in a snapshot from elsewhere; see <see cref="SnapshotStore.TakeInAsync"/>.</summary>
    public Task<Snapshot> TakeInAsync(
        string name, string reason, Func<string, Stream, Task> read, CancellationToken cancellationToken) =>
        store.TakeInAsync(name, reason, read, cancellationToken);

    /// <summary>Whether the database holds a part of a snapshot, because its restore was cut off.</summary>
    public async Task<bool> IsPartlyRestoredAsync(CancellationToken cancellationToken) =>
        await SnapshotStore.UnfinishedRestoreAsync(Access, cancellationToken) is not null;

    /// <summary>Whether the database is exactly what a snapshot holds.</summary>
    public async Task<bool> IsContentAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("compare with a snapshot", "CHECKSUM TABLE");
        return (await store.CompareAsync(Access, snapshot, cancellationToken)).Count == 0;
    }

    /// <summary>Checks that a snapshot's file is the one that was written.</summary>
    public Task VerifyAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
        store.VerifyAsync(snapshot, Progress(), cancellationToken);

    /// <summary>Gives the database a snapshot's content, verified before and after.</summary>
    public async Task RestoreAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("restore", "RESTORE")?.SetTag("uvlhub.snapshot", snapshot.Name);
        var started = time.GetTimestamp();
        await store.RestoreAsync(Access, snapshot, Progress(), cancellationToken);
        LogRestored(
            snapshot.Name, snapshot.Content.Tables.Count, snapshot.Content.Rows,
            time.GetElapsedTime(started).TotalSeconds);
    }

    /// <summary>Loads a snapshot into another, empty database of the server.</summary>
    public async Task LoadAsync(Snapshot snapshot, string into, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("load a copy", "RESTORE")?.SetTag("uvlhub.snapshot", snapshot.Name);
        await store.LoadAsync(AccessTo(into), snapshot, Progress(), cancellationToken);
    }

    /// <summary>Keeps retention from deleting a snapshot.</summary>
    public void Protect(string name) => store.Protect(name);

    /// <summary>Lets retention delete a snapshot again.</summary>
    public void Release(string? name)
    {
        if (name is not null)
        {
            store.Release(name);
            store.Prune(settings.Database);
        }
    }

    private DatabaseAccess Access => AccessTo(settings.Database);

    private DatabaseAccess AccessTo(string database) =>
        new(new MySqlConnectionStringBuilder(settings.Root.ConnectionString) { Database = database }.ConnectionString)
        {
            Container = settings.DatabaseContainer,
            Engine = settings.Engine.Executable,
        };

    private ProgressLines Progress() => new(time, progress => LogProgress(
        progress.Step, progress.Done / 1024.0 / 1024.0, 100.0 * progress.Done / Math.Max(progress.Total, 1)));

    /// <summary>Passes a report on every two seconds.</summary>
    private sealed class ProgressLines(TimeProvider time, Action<SnapshotProgress> write) : IProgress<SnapshotProgress>
    {
        private long _last = time.GetTimestamp();

        public void Report(SnapshotProgress value)
        {
            if (time.GetElapsedTime(_last) >= s_progressInterval)
            {
                _last = time.GetTimestamp();
                write(value);
            }
        }
    }

    [LoggerMessage(EventId = 500, Level = LogLevel.Information, Message = "Snapshot {Name} in {Folder}: {Rows} rows, {Megabytes:0.0} MB, "
        + "{Seconds:0.0} s")]
    private partial void LogCreated(string name, string folder, long rows, double megabytes, double seconds);

    [LoggerMessage(EventId = 501, Level = LogLevel.Information, Message = "The snapshot {Name} in {Folder} holds exactly what is in the "
        + "database; no further one is needed")]
    private partial void LogReused(string name, string folder);

    [LoggerMessage(EventId = 502, Level = LogLevel.Information, Message = "Restored the snapshot {Name}: {Tables} tables, {Rows} rows, "
        + "verified, {Seconds:0.0} s")]
    private partial void LogRestored(string name, int tables, long rows, double seconds);

    [LoggerMessage(EventId = 503, Level = LogLevel.Information, Message = "  {Step}: {Megabytes:0} MB, {Percent:0} %")]
    private partial void LogProgress(string step, double megabytes, double percent);
}
