using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>What a person is told in the states in which the runner may not decide alone.</summary>
internal sealed class Refusals(RunnerSettings settings, UvlhubDatabase database, MigrationJournal journal, SnapshotKeeper snapshots)
{
    private const int ShownSnapshots = 5;

    /// <summary>The database is of another branch.</summary>
    public async Task<MigrationRefusedException> UnknownRevisionAsync(
        MySqlConnection root, DatabaseState.UnknownRevision state, CheckoutHistory history, CancellationToken cancellationToken)
    {
        var revision = state.Unknown[0];
        var run = await journal.LastRunToAsync(root, revision, cancellationToken);
        // A snapshot helps if the checkout can migrate from it.
        var older = snapshots.List()
            .Where(snapshot => (snapshot.Revisions ?? []).All(known => history.Graph!.Contains(known)))
            .Take(ShownSnapshots)
            .ToList();

        List<string> remedy =
        [
            "It is another branch's database, or its revision file was deleted. Nothing was changed. Ways out:",
            $"  1. Switch back to the branch that has the revision, and start again: 'git log --all --oneline -- \"*{revision}*\"' or "
            + $"'git log --all --oneline -S {revision} -- migrations' finds it.",
            older.Count == 0
                ? "  2. Restore a snapshot of before: there is none that this checkout knows."
                : $"  2. Restore a snapshot of before (what is in the database now is dumped first):{Environment.NewLine}"
                    + string.Join(Environment.NewLine, older.Select(snapshot =>
                        $"       {RunnerCommand.Line(settings, "restore", snapshot.Name)}   # revision "
                        + $"{Revision.List(snapshot.Revisions)}, "
                        + $"{snapshot.Content.Rows} rows, {snapshot.Created:u}")),
            $"  3. Start with an empty database (what is in it is dumped first):{Environment.NewLine}       "
            + $"{RunnerCommand.Line(settings, "reset", "--yes")}",
        ];

        return new MigrationRefusedException(
            state.Name,
            $"{database.Name} is at revision '{string.Join("', '", state.Unknown)}', which {settings.Checkout.RevisionsDirectory} does "
            + "not have"
            + (run is null ? "; the journal does not know since when." : $"; it was migrated to it on {run.Ended:u} ({run.Way})."),
            string.Join(Environment.NewLine, remedy));
    }

    /// <summary>A run was killed, and its undo would take away what was written since; <see langword="null"/> if it would not.</summary>
    public async Task<MigrationRefusedException?> WrittenSinceAsync(
        MySqlConnection root, MigrationRun run, CancellationToken cancellationToken)
    {
        // This process's own last attempt is no old day.
        var isWritten = run.Undo == RunUndo.Nothing || journal.IsOwn(run)
            ? false
            : await journal.IsWrittenSinceAsync(root, run, cancellationToken);
        // In development the site starts after the migrator; in Production the version before has gone on.
        if (isWritten is false || (isWritten is null && (settings.IsDevelopment || await IsAsBeforeAsync())))
        {
            return null;
        }

        return new MigrationRefusedException(
            "interrupted",
            $"A run of '{run.Verb}' ({run.Way}) was killed on {run.Started:u} while it was changing {database.Name}, and "
            + (isWritten is null ? "the server was started anew since, so that it cannot be told whether " : "")
            + "rows were written since. To undo the run would take them away, so nothing was changed.",
            string.Join(
                Environment.NewLine,
                "Ways out; the first two keep what is in the database now in a snapshot:",
                run.Snapshot is null
                    ? $"  1. Begin anew, as before that run: {RunnerCommand.Line(settings, "reset", "--yes")}"
                    : $"  1. Go back to the state before that run: {RunnerCommand.Line(settings, "restore", run.Snapshot)}",
                $"  2. Restore another snapshot: {RunnerCommand.Line(settings, "snapshots")}",
                "  3. Take the database as it is, with what the run had changed by then, and migrate from there: "
                + RunnerCommand.Line(settings, "migrate", "--as-is")));

        async Task<bool> IsAsBeforeAsync() =>
            run.Snapshot is { } name && snapshots.Find(name) is { } snapshot && await snapshots.IsContentAsync(snapshot, cancellationToken);
    }

    /// <summary>Restoring a snapshot was cut off.</summary>
    public MigrationRefusedException PartlyRestored(DatabaseState.PartlyRestored state) => new(
        state.Name,
        StateText.Describe(state, database.Name),
        $"Restore it again: {RunnerCommand.Line(settings, "restore", state.Snapshot)}{Environment.NewLine}"
        + $"Or another one ({RunnerCommand.Line(settings, "snapshots")}).");

    /// <summary>There are tables without a revision, and they are not those of the head.</summary>
    public MigrationRefusedException Unversioned(DatabaseState.Unversioned state, string head, IReadOnlyList<string> differences)
    {
        const int shown = 40;
        return new MigrationRefusedException(
            state.Name,
            $"{database.Name} has {state.Tables.Count} tables but no revision in {UvlhubDatabase.VersionTable}, and they differ from the "
            + $"checkout's head {head}:{Environment.NewLine}"
            + string.Join(Environment.NewLine, differences.Take(shown).Select(difference => $"  - {difference}"))
            + (differences.Count > shown ? $"{Environment.NewLine}  and {differences.Count - shown} more" : ""),
            string.Join(
                Environment.NewLine,
                "A stamp would hide this: the application would start and fail on what is missing. Nothing was changed. Ways out:",
                "  1. If a first migration broke off and nothing in it is worth keeping, start with an empty database (it is dumped "
                + $"first): {RunnerCommand.Line(settings, "reset", "--yes")}",
                $"  2. Restore a snapshot: {RunnerCommand.Line(settings, "snapshots")}",
                "  3. Put the differences right by hand, then start again: with equal tables the head is stamped. If the tables are "
                + $"those of an older revision R: '{RunnerCommand.InToolbox(settings, "flask db stamp R")}'."));
    }

    /// <summary>There are tables without a revision, and no second database to make those of the head in.</summary>
    public MigrationRefusedException NotComparable(DatabaseState.Unversioned state, string head) => new(
        state.Name,
        $"{database.Name} has {state.Tables.Count} tables but no revision in {UvlhubDatabase.VersionTable}, and {settings.Address} gives "
        + $"'{settings.Root.UserID}' no second database in which to make the tables of the checkout's head {head} for a comparison.",
        string.Join(
            Environment.NewLine,
            "Nothing was changed. Ways out:",
            $"  1. Start with an empty database (it is dumped first): {RunnerCommand.Line(settings, "reset", "--yes")}",
            $"  2. Restore a snapshot: {RunnerCommand.Line(settings, "snapshots")}",
            "  3. If you know that the tables are those of a revision R: "
            + $"'{RunnerCommand.InToolbox(settings, "flask db stamp R")}'; then start again."));

    /// <summary>The checkout has no migrations, and they may not be made here.</summary>
    public MigrationRefusedException MissingMigrations(MigrationRefusedException problem, bool hasTables) => new(
        problem.State,
        problem.Problem,
        hasTables && settings.Options.Migrator.InitializeMigrations
            ? $"The database has tables already, so a first migration made from it would be empty. {problem.Remedy}"
            : $"{problem.Remedy}{Environment.NewLine}Or let the migrator make the first one in development, as uvlhub's entrypoint does "
                + "(this writes into the checkout): --Uvlhub:Migrator:InitializeMigrations=true");
}
