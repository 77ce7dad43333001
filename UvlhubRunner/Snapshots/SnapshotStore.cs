namespace UvlhubRunner.Snapshots;

/// <summary>The snapshots of one folder.</summary>
/// <param name="folder">The folder; it is created with the first snapshot, for this user alone.</param>
/// <param name="keep">How many snapshots of one database are kept.</param>
/// <param name="time">The clock. Default: the system's.</param>
internal sealed class SnapshotStore(string folder, int keep, TimeProvider? time = null)
{
    /// <summary>The state when a snapshot could not be made.</summary>
    public const string SnapshotFailed = "snapshot-failed";

    /// <summary>The state when a snapshot is not what it was when it was made.</summary>
    public const string SnapshotDamaged = "snapshot-damaged";

    /// <summary>The state when a restore did not end with the snapshot's content.</summary>
    public const string RestoreFailed = "restore-failed";

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>The folder.</summary>
    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>All complete snapshots, the newest first.</summary>
    public IReadOnlyList<Snapshot> List() => throw new NotImplementedException();

    /// <summary>The snapshot of this name; <see langword="null"/> if there is none.</summary>
    public Snapshot? Find(string name) => throw new NotImplementedException();

    /// <summary>Dumps the database. Nothing is left behind, and no older snapshot deleted, unless all of it succeeds.</summary>
    /// <exception cref="MigrationRefusedException">No snapshot was made; the message says why.</exception>
    public Task<Snapshot> CreateAsync(DatabaseAccess database, SnapshotRequest request, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken) =>
        throw new NotImplementedException($"{keep} {_time}");

    /// <summary>Checks that a snapshot's file is the one that was written: its SHA-256, its compression, its last line.</summary>
    /// <exception cref="MigrationRefusedException">It is not.</exception>
    public Task VerifyAsync(Snapshot snapshot, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>
    /// Gives the database of the snapshot's name the snapshot's content: verifies the file, drops what is in the database,
    /// loads, and compares the result with the snapshot. A restore that was cut off can simply be run again.
    /// </summary>
    /// <exception cref="MigrationRefusedException">The message says whether the database was touched.</exception>
    public Task RestoreAsync(DatabaseAccess database, Snapshot snapshot, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>How a database differs from a snapshot; empty if it does not.</summary>
    public Task<IReadOnlyList<string>> CompareAsync(DatabaseAccess database, Snapshot snapshot, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Keeps a snapshot from retention until <see cref="Release"/>: a run that may have to restore it has begun.</summary>
    public void Protect(string name) => throw new NotImplementedException();

    /// <summary>Ends <see cref="Protect"/>; no error if it was not protected.</summary>
    public void Release(string name) => throw new NotImplementedException();

    /// <summary>Deletes the oldest unprotected snapshots of a database beyond the number to keep.</summary>
    /// <returns>The names of those deleted.</returns>
    public IReadOnlyList<string> Prune(string database) => throw new NotImplementedException();
}
