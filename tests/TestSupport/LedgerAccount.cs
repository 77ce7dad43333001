using Xunit;

namespace UvlhubAspire.TestSupport;

/// <summary>A write, and where its row was found.</summary>
/// <param name="Write">The write.</param>
/// <param name="Rows">How many rows the database has of it.</param>
/// <param name="Snapshots">The names of the snapshots that have it.</param>
public sealed record LedgerEntry(LedgerWrite Write, int Rows, IReadOnlyList<string> Snapshots)
{
    /// <summary>Whether the site has acknowledged it.</summary>
    public bool IsAcknowledged => Write.Outcome == LedgerOutcome.Acknowledged;

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Write}; rows in the database: {Rows}; snapshots: {(Snapshots.Count == 0 ? "none" : string.Join(", ", Snapshots))}";
}

/// <summary>What became of what was written. Printed, it names each write that is lost, with its time.</summary>
/// <param name="Entries">Every write that has ended, in the order in which they were due.</param>
public sealed record LedgerAccount(IReadOnlyList<LedgerEntry> Entries)
{
    private const int MostPrinted = 20;
    private static readonly string[] s_more = ["  …"];

    /// <summary>What the site has acknowledged.</summary>
    public IReadOnlyList<LedgerEntry> Acknowledged => Those(entry => entry.IsAcknowledged);

    /// <summary>Acknowledged, and in the database.</summary>
    public IReadOnlyList<LedgerEntry> InDatabase => Those(entry => entry is { IsAcknowledged: true, Rows: > 0 });

    /// <summary>Acknowledged, and in a snapshot alone.</summary>
    public IReadOnlyList<LedgerEntry> InSnapshotAlone => Those(entry => entry is { IsAcknowledged: true, Rows: 0, Snapshots.Count: > 0 });

    /// <summary>Acknowledged, and lost.</summary>
    public IReadOnlyList<LedgerEntry> Nowhere => Those(entry => entry is { IsAcknowledged: true, Rows: 0, Snapshots.Count: 0 });

    /// <summary>Not acknowledged, for whatever reason. Such a one may be in the database or not; it is never lost.</summary>
    public IReadOnlyList<LedgerEntry> Unacknowledged => Those(entry => !entry.IsAcknowledged);

    /// <summary>Written more than once though sent once: somebody on the way has sent it again.</summary>
    public IReadOnlyList<LedgerEntry> WrittenTwice => Those(entry => entry.Rows > 1);

    /// <summary>
    /// The distinct seconds of the clock (UTC) in which a write ended so. <see cref="LedgerOutcome.ServerError"/>: the
    /// seconds of 5xx; <see cref="LedgerOutcome.NoConnection"/> and <see cref="LedgerOutcome.NoAnswer"/>: those of failed
    /// connections. It is as exact as the writes are dense: at least one a second.
    /// </summary>
    public IReadOnlyList<DateTimeOffset> SecondsOf(params LedgerOutcome[] outcomes) =>
    [
        .. Entries.Where(entry => outcomes.Contains(entry.Write.Outcome))
            .Select(entry => new DateTimeOffset(entry.Write.Ended.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero))
            .Distinct().Order(),
    ];

    /// <summary>
    /// The latency that this share of all answered writes (5xx too) did not exceed, from when each was due;
    /// <see langword="null"/> if none was answered. 1: the longest.
    /// </summary>
    public TimeSpan? Latency(double share)
    {
        TimeSpan[] latencies = [.. Entries.Where(entry => entry.Write.IsAnswered).Select(entry => entry.Write.Latency).Order()];
        return latencies.Length == 0 ? null : latencies[Math.Clamp((int)Math.Ceiling(share * latencies.Length), 1, latencies.Length) - 1];
    }

    /// <summary>Fails, with the whole account, where a write is lost or was written twice, or where there were too few to tell.</summary>
    /// <param name="atLeast">How many must have been acknowledged: where nothing is written, nothing is lost.</param>
    public void AssertNothingIsLost(int atLeast)
    {
        Assert.True(Nowhere.Count == 0, $"{Nowhere.Count} acknowledged writes are lost.\n{this}");
        Assert.True(WrittenTwice.Count == 0, $"{WrittenTwice.Count} writes were written more than once.\n{this}");
        Assert.True(Acknowledged.Count >= atLeast, $"Only {Acknowledged.Count} writes were acknowledged, of at least {atLeast}.\n{this}");
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var outcomes = Entries.CountBy(entry => entry.Write.Outcome).OrderBy(outcome => outcome.Key)
            .Select(outcome => $"{outcome.Key} {outcome.Value}");
        var failed = SecondsOf(LedgerOutcome.NoConnection, LedgerOutcome.NoAnswer).Count;
        return string.Join('\n',
        [
            $"{Entries.Count} writes: {string.Join(", ", outcomes)}",
            $"Acknowledged: {InDatabase.Count} in the database, {InSnapshotAlone.Count} in a snapshot alone, {Nowhere.Count} nowhere",
            $"Seconds with 5xx: {SecondsOf(LedgerOutcome.ServerError).Count}; with failed connections: {failed}",
            $"Latency: 99 % within {Latency(0.99)?.TotalSeconds:0.000} s, the longest {Latency(1)?.TotalSeconds:0.000} s",
            .. Listed("Lost", Nowhere, int.MaxValue),
            .. Listed("Written more than once", WrittenTwice, MostPrinted),
            .. Listed("In a snapshot alone", InSnapshotAlone, MostPrinted),
            .. Listed("Not acknowledged", Unacknowledged, MostPrinted),
        ]);
    }

    private static IEnumerable<string> Listed(string heading, IReadOnlyList<LedgerEntry> entries, int most) => entries.Count == 0
        ? []
        : [$"{heading} ({entries.Count}):", .. entries.Take(most).Select(entry => $"  {entry}"), .. entries.Count > most ? s_more : []];

    private List<LedgerEntry> Those(Predicate<LedgerEntry> which) => [.. Entries.Where(entry => which(entry))];
}
