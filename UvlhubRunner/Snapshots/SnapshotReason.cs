namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// What a snapshot is for. Only <see cref="Automatic"/> and <see cref="Scheduled"/> ones are deleted, when there are newer ones of their
/// class.
/// </summary>
internal enum SnapshotClass
{
    /// <summary>The state before a migration or a seeding.</summary>
    Automatic,

    /// <summary>A person asked for it.</summary>
    ByHand,

    /// <summary>The rows of a backup: they are in the repository, and of these the newest stays here.</summary>
    Scheduled,

    /// <summary>What a person's <c>reset</c> or <c>restore</c> took away.</summary>
    Replaced,

    /// <summary>What was in a database before it was put back: rows of visitors may be nowhere else.</summary>
    SetAside,
}

/// <summary>Why snapshots are made, in the words that stand in their descriptions.</summary>
internal static class SnapshotReason
{
    public const string Backup = "backup";

    public const string Scheduled = "scheduled backup";

    public const string BeforeReset = "before a reset";

    private const string HalfChanged = "half-changed, ";
    private const string FromRepository = "from the backup ";
    private const string Restored = " was restored";

    public static string BeforeRestore(string name) => $"before {name}{Restored}";

    /// <summary>The reason of one that a person got from the repository of the backups.</summary>
    public static string Fetched(string backup) => FromRepository + backup;

    /// <summary>The reason of one that holds what was there before a database was put back.</summary>
    /// <param name="snapshot">The snapshot that it is put back to; <see langword="null"/> where it is emptied.</param>
    public static string SetAside(string? snapshot) =>
        HalfChanged + (snapshot is null ? "before it was emptied" : BeforeRestore(snapshot));

    public static SnapshotClass ClassOf(string? reason) => reason switch
    {
        null => SnapshotClass.Automatic,
        Backup => SnapshotClass.ByHand,
        Scheduled => SnapshotClass.Scheduled,
        BeforeReset => SnapshotClass.Replaced,
        _ when reason.StartsWith(FromRepository, StringComparison.Ordinal) => SnapshotClass.ByHand,
        _ when reason.StartsWith(HalfChanged, StringComparison.Ordinal) => SnapshotClass.SetAside,
        _ when reason.EndsWith(Restored, StringComparison.Ordinal) => SnapshotClass.Replaced,
        _ => SnapshotClass.Automatic,
    };

    /// <summary>A class, for people.</summary>
    public static string Describe(SnapshotClass of) => of switch
    {
        SnapshotClass.Automatic => "automatic",
        SnapshotClass.ByHand => "by hand",
        SnapshotClass.Scheduled => "scheduled",
        SnapshotClass.Replaced => "replaced",
        SnapshotClass.SetAside => "set aside",
        _ => throw new ArgumentOutOfRangeException(nameof(of)),
    };
}
