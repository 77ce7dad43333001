using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>The states in words that a student understands: how things are, and what <c>migrate</c> does about it.</summary>
internal static class StateText
{
    public static string Describe(DatabaseState state, string database) => state switch
    {
        DatabaseState.Interrupted { Run: var run } =>
            $"A run of '{run.Verb}' ({run.Way}) was killed on {run.Started:u} while it was changing {database}, which may be half-changed.",
        DatabaseState.PartlyRestored { Snapshot: var snapshot } =>
            $"{database} holds only a part of the snapshot {snapshot}, because restoring it was cut off.",
        DatabaseState.UnusableHistory { Problem: var problem } =>
            problem.Problem,
        DatabaseState.Empty { Pending: var pending } =>
            $"{database} is empty; the checkout has {Count(pending.Count, "revision")}, up to {pending[^1]}.",
        DatabaseState.AtHead { Head: var head } =>
            $"{database} is at the checkout's newest revision, {head}.",
        DatabaseState.SeedDue { Head: var head, Run: var run } =>
            $"{database} is at the checkout's newest revision, {head}, but the run of {run.Started:u} died before it filled it "
            + "with example data.",
        DatabaseState.Behind { Current: var current, Pending: var pending } =>
            $"{database} is at revision {string.Join(", ", current)}; {Count(pending.Count, "newer revision")} of the checkout "
            + $"{(pending.Count == 1 ? "has" : "have")} not run, up to {pending[^1]}.",
        DatabaseState.Unversioned { Tables: var tables } =>
            $"{database} has {Count(tables.Count, "table")}, but its table {UvlhubDatabase.VersionTable} does not say at which revision "
            + "they are.",
        DatabaseState.UnknownRevision { Unknown: var unknown } =>
            $"{database} is at revision {string.Join(", ", unknown)}, which this checkout does not have: it is another branch's database, "
            + "or the revision's file was deleted.",
        _ => throw new InvalidOperationException($"no words for the state '{state.Name}'"),
    };

    /// <summary>What <c>migrate</c> does, step by step; nothing if it refuses or has nothing to do.</summary>
    /// <param name="seedCommand">The seeding command; <see langword="null"/> where nothing is seeded.</param>
    public static IReadOnlyList<string> Steps(DatabaseState state, string? seedCommand) => state switch
    {
        DatabaseState.Interrupted { Run: { Undo: RunUndo.Restore } run } =>
            [$"restore the snapshot {run.Snapshot} (a dump of what is in the database now is made first)", "migrate from there"],
        DatabaseState.Interrupted =>
            ["empty the database, as it was before that run (rows, if there are any, are dumped first)", "migrate from there"],
        DatabaseState.Empty { Pending: var pending } =>
            [.. Upgrade(pending), .. Seed(seedCommand)],
        DatabaseState.SeedDue =>
            [.. Seed(seedCommand)],
        DatabaseState.Behind { Pending: var pending, Unseeded: var unseeded } =>
            ["take a snapshot", .. Upgrade(pending), .. Seed(unseeded is null ? null : seedCommand)],
        DatabaseState.Unversioned =>
            ["take a snapshot", "run all revisions on an empty scratch database and compare its tables with "
                + "these", "give these the newest revision if they are equal, else refuse and list the differences"],
        _ => [],
    };

    private static IEnumerable<string> Upgrade(IReadOnlyList<Revision> pending) =>
        [.. pending.Select(revision => $"run {revision}  {Path.GetFileName(revision.File)}"), "verify that the database is at the newest revision"];

    private static IEnumerable<string> Seed(string? command) => command is null ? [] : [$"fill it with example data ({command})"];

    private static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";
}
