namespace UvlhubAspire.Runner.Snapshots;

/// <summary>How far a snapshot or a restore is.</summary>
/// <param name="Step">What is being done, for people: <c>Dumping</c>, <c>Verifying</c>, <c>Loading</c>, <c>Comparing</c>.</param>
/// <param name="Done">How many bytes of the uncompressed dump are done.</param>
/// <param name="Total">How many there will be.</param>
internal readonly record struct SnapshotProgress(string Step, long Done, long Total);

/// <summary>What a new snapshot says of itself beyond the database.</summary>
internal sealed record SnapshotRequest
{
    public string? Checkout { get; init; }

    public string? Reason { get; init; }

    /// <summary>
    /// Whether a run that may have to restore it begins: retention does not delete it until
    /// <see cref="SnapshotStore.Release"/>. Default: no.
    /// </summary>
    public bool Protect { get; init; }
}
