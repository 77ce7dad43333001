namespace UvlhubAspire.Runner.Database;

/// <summary>What the database says about its schema; read in one go, never guessed.</summary>
internal sealed record DatabaseFacts
{
    /// <summary>Tables and views, without Alembic's own and the migrator's.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    public required bool HasVersionTable { get; init; }

    /// <summary>The rows of <c>alembic_version</c>: none, one, or one per branch.</summary>
    public required IReadOnlyList<string> Revisions { get; init; }

    /// <summary>The snapshot that it holds a part of, because restoring it was cut off. Default: none.</summary>
    public string? PartOf { get; init; }

    /// <summary>Whether there is nothing that a migration could destroy.</summary>
    public bool IsEmpty => Tables.Count == 0 && Revisions.Count == 0 && PartOf is null;
}
