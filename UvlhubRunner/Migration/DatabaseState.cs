using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>
/// The state of a database as against its checkout: one type per row of the table in docs/migrations.md. The set is
/// closed; <see cref="Of"/> decides, and <see cref="Migrator"/> has an answer to each.
/// </summary>
internal abstract record DatabaseState(string Name)
{
    /// <summary>A run that was killed left it half-changed: what it did comes back first.</summary>
    internal sealed record Interrupted(MigrationRun Run) : DatabaseState("interrupted");

    /// <summary>Restoring a snapshot was cut off, and no run is open that would go on with it.</summary>
    internal sealed record PartlyRestored(string Snapshot) : DatabaseState("partly-restored");

    /// <summary>The checkout's revisions give no single head to migrate to.</summary>
    internal sealed record UnusableHistory(MigrationRefusedException Problem) : DatabaseState(Problem.State);

    /// <summary>There is nothing in it.</summary>
    internal sealed record Empty(IReadOnlyList<Revision> Pending) : DatabaseState("empty");

    /// <summary>There is nothing to do.</summary>
    internal sealed record AtHead(Revision Head) : DatabaseState("at-head");

    /// <summary>The schema is at the head, but the run that should have seeded it died before it began to.</summary>
    internal sealed record SeedDue(Revision Head, MigrationRun Run) : DatabaseState("seed-due");

    /// <summary>Revisions are missing.</summary>
    /// <param name="Unseeded">The run that should have seeded it and died before it began to.</param>
    internal sealed record Behind(
        IReadOnlyList<string> Current, IReadOnlyList<Revision> Pending, MigrationRun? Unseeded) : DatabaseState("behind");

    /// <summary>There are tables, but nothing says at which revision they are.</summary>
    internal sealed record Unversioned(IReadOnlyList<string> Tables) : DatabaseState("unversioned");

    /// <summary>It is at a revision that the checkout does not have.</summary>
    internal sealed record UnknownRevision(
        IReadOnlyList<string> Current, IReadOnlyList<string> Unknown) : DatabaseState(RevisionGraph.UnknownRevision);

    /// <summary>Which state it is.</summary>
    /// <param name="open">The entry of the journal that was not closed, if there is one.</param>
    public static DatabaseState Of(DatabaseFacts facts, CheckoutHistory history, MigrationRun? open) => (facts, history, open) switch
    {
        // What a dead run left half-done is put right even if the checkout cannot be migrated to.
        (_, _, { Phase: RunPhase.Changing }) => new Interrupted(open),
        ({ PartOf: { } snapshot }, _, _) => new PartlyRestored(snapshot),
        (_, { Problem: { } problem }, _) => new UnusableHistory(problem),
        ({ IsEmpty: true }, { Graph: { } graph }, _) => new Empty(graph.Pending([])),
        ({ Revisions: [] }, _, _) => new Unversioned(facts.Tables),
        (_, { Graph: { } graph }, _) when facts.Revisions.Where(revision => !graph.Contains(revision)).ToList() is { Count: > 0 } unknown =>
            new UnknownRevision(facts.Revisions, unknown),
        (_, { Graph: { } graph }, _) when graph.Pending(facts.Revisions) is { Count: > 0 } pending =>
            new Behind(facts.Revisions, pending, open),
        (_, { Graph: { } graph }, { Phase: RunPhase.SeedDue }) => new SeedDue(graph.Head, open),
        (_, { Graph: { } graph }, _) => new AtHead(graph.Head),
        _ => throw new InvalidOperationException("a history is a graph or a problem"),
    };
}
