namespace UvlhubAspire.Runner.Journal;

/// <summary>How far a run has come. An entry that is not closed and whose run is dead shows what has to be put right.</summary>
internal enum RunPhase
{
    /// <summary>The schema or the rows are being changed; if the run dies here, <see cref="MigrationRun.Undo"/> applies.</summary>
    Changing,

    /// <summary>The schema is at the head and verified; the seeding has not begun.</summary>
    SeedDue,

    /// <summary>Closed: <see cref="MigrationRun.Result"/> says how it ended.</summary>
    Closed,
}

/// <summary>How the state before a run comes back.</summary>
internal enum RunUndo
{
    /// <summary>Nothing has to be undone.</summary>
    Nothing,

    /// <summary>The snapshot is restored.</summary>
    Restore,

    /// <summary>The database is emptied: it was empty before the run, or emptying it was the run's purpose.</summary>
    Empty,
}

/// <summary>One entry of the journal.</summary>
internal sealed record MigrationRun
{
    /// <summary>The results that a closed run can have; free text would make them useless to scripts.</summary>
    public const string Succeeded = "succeeded";

    /// <summary>It failed; the database was put back.</summary>
    public const string Failed = "failed";

    /// <summary>It was killed; a later run put the database back, or did what was left to do.</summary>
    public const string Killed = "killed";

    /// <summary>It was ended by Ctrl+C or a signal; the database was put back.</summary>
    public const string Interrupted = "interrupted";

    public required long Id { get; init; }

    /// <summary>The verb: <c>migrate</c>, <c>seed</c>, <c>restore</c>, <c>reset</c>.</summary>
    public required string Verb { get; init; }

    /// <summary>The revision before, or revisions separated by commas; empty for none.</summary>
    public required string From { get; init; }

    public required string To { get; init; }

    /// <summary>When it began, in UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    public DateTimeOffset? Ended { get; init; }

    public required RunPhase Phase { get; init; }

    /// <summary>How the state before comes back, if it dies while changing.</summary>
    public required RunUndo Undo { get; init; }

    public string? Snapshot { get; init; }

    public string? Result { get; init; }

    public string? Cause { get; init; }

    /// <summary>The machine and process it ran in.</summary>
    public required string Process { get; init; }

    /// <summary>From its beginning to its end; <see langword="null"/> while it is open.</summary>
    public TimeSpan? Duration => Ended - Started;

    public bool IsOpen => Phase != RunPhase.Closed;

    /// <summary>Its way, for people: <c>001 → 004</c>.</summary>
    public string Way => Verb switch
    {
        "migrate" => $"{(From.Length == 0 ? "empty" : From)} → {To}",
        _ => From == To || To.Length == 0 ? From : $"{(From.Length == 0 ? "empty" : From)} → {To}",
    };
}
