using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Resilience;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Migration;

/// <summary>
/// Brings the state before a run back, for a run that has just failed as for one that was killed: MariaDB cannot undo
/// changes of a schema by itself. It can be cut off at any point and run again. Meanwhile the application is locked out,
/// and what is in the database that the state before has not is set aside first.
/// </summary>
internal sealed partial class Rollback(
    RunnerSettings settings, UvlhubDatabase database, SiteLockout lockout, MigrationJournal journal, Toolbox toolbox,
    SnapshotKeeper snapshots, ILogger<Rollback> logger)
{
    /// <summary>Undoes a run. The application stays locked out until <see cref="JournaledChanges"/> lets it in.</summary>
    /// <returns>What was done, for people.</returns>
    /// <exception cref="MigrationFailedException">It could not be undone; the message names the snapshot and the remedy.</exception>
    public async Task<string> UndoAsync(MySqlConnection root, MigrationRun run, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("undo");
        if (run.Undo == RunUndo.Nothing)
        {
            return "nothing was changed";
        }

        try
        {
            await toolbox.EndLeftoversAsync(cancellationToken);
            await lockout.BeginAsync(root, cancellationToken);
            return run.Undo == RunUndo.Restore
                ? await RestoreAsync(root, run, cancellationToken)
                : await EmptyAsync(root, run, cancellationToken);
        }
        catch (Exception exception) when (exception is MySqlException or MigrationRefusedException)
        {
            throw new MigrationFailedException(
                ExitCode.NotRestored,
                $"{database.Name} may be half-changed and could not be put back: {exception.Message}{Environment.NewLine}"
                + (run.Snapshot is null
                    ? "It was empty before. When the cause is gone, start again: the next run empties it first "
                        + $"('{RunnerCommand.Line(settings, "migrate")}')."
                    : $"Its state before is in the snapshot {run.Snapshot} in {snapshots.Folder}. When the cause is gone, start again: "
                        + $"the next run restores it first ('{RunnerCommand.Line(settings, "migrate")}').")
                + $"{Environment.NewLine}If it cannot go: 'restore NAME' of another snapshot ('snapshots' lists them), or 'reset --yes', "
                + "takes the place of what was begun. Both keep what is in the database first.",
                exception);
        }
    }

    /// <summary>
    /// Does what a person wants in place of all that is in the database: keeps that first, in a snapshot or, where it cannot
    /// be dumped, in a database of another name. The application stays locked out until it is done.
    /// </summary>
    /// <param name="open">The run that is open; its place is taken.</param>
    /// <param name="reason">The snapshot's reason.</param>
    /// <param name="change">Makes the change. It gets the snapshot's name, and what keeps the tables where there is none.</param>
    public async Task ReplaceAsync(
        MySqlConnection root,
        MigrationRun? open,
        string reason,
        Func<DatabaseFacts, string?, Func<JournaledChange, CancellationToken, Task>, Task> change,
        CancellationToken cancellationToken)
    {
        if (open is { Phase: RunPhase.Changing })
        {
            LogReplaced(open.Verb, open.Way, open.Started);
        }

        await lockout.BeginAsync(root, cancellationToken);
        var facts = await database.InspectAsync(root, cancellationToken);
        Func<JournaledChange, CancellationToken, Task> keep = (_, _) => Task.CompletedTask;
        string? snapshot = null;
        if (!facts.IsEmpty && !await IsNobodysAsync(root, open, cancellationToken))
        {
            try
            {
                snapshot = (await snapshots.EnsureAsync(facts.Revisions, reason, cancellationToken)).Name;
            }
            catch (Exception refused) when (IsForGood(refused))
            {
                keep = (begun, token) => MoveAsideAsync(root, begun, refused, token);
            }
        }

        await change(facts, snapshot, keep);
        await lockout.EndAsync(root, cancellationToken);
    }

    private async Task<string> RestoreAsync(MySqlConnection root, MigrationRun run, CancellationToken cancellationToken)
    {
        var snapshot = snapshots.Find(run.Snapshot!) ?? throw new MigrationRefusedException(
            "interrupted",
            $"the snapshot {run.Snapshot} is not in {snapshots.Folder}.",
            "Was the folder moved, or does Uvlhub:Snapshots:Path name another one?");

        // Often nothing was changed at all: Python found a mistake before the first statement.
        if (!await snapshots.IsPartlyRestoredAsync(cancellationToken) && await snapshots.IsContentAsync(snapshot, cancellationToken))
        {
            return $"the database is exactly as it was before (compared with the snapshot {snapshot.Name})";
        }

        // Before the first thing is dropped for it.
        await snapshots.VerifyAsync(snapshot, cancellationToken);
        var kept = await SetAsideAsync(root, run, SnapshotReason.SetAside(snapshot.Name), cancellationToken);
        await snapshots.RestoreAsync(snapshot, cancellationToken);
        return $"the database is as it was before: the snapshot {snapshot.Name} was restored and verified{kept}";
    }

    private async Task<string> EmptyAsync(MySqlConnection root, MigrationRun run, CancellationToken cancellationToken)
    {
        var facts = await database.InspectAsync(root, cancellationToken);
        var kept = "";
        if (!(facts.IsEmpty && !facts.HasVersionTable))
        {
            kept = await SetAsideAsync(root, run, SnapshotReason.SetAside(snapshot: null), cancellationToken);
            await database.EmptyAsync(root, cancellationToken);
        }

        return $"the database is empty{kept}";
    }

    // Whoever wrote them: rows that the state before has not are nowhere else.
    private async Task<string> SetAsideAsync(MySqlConnection root, MigrationRun run, string reason, CancellationToken cancellationToken)
    {
        if (!await database.HasRowsAsync(root, cancellationToken) || await IsNobodysAsync(root, run, cancellationToken))
        {
            return "";
        }

        try
        {
            var facts = await database.InspectAsync(root, cancellationToken);
            var kept = await snapshots.EnsureAsync(facts.Revisions, reason, cancellationToken);
            snapshots.Release(kept.Name);
            return $"; what was in the database is in the snapshot {kept.Name}";
        }
        catch (Exception refused) when (IsForGood(refused))
        {
            try
            {
                return $"; {await MoveAsideAsync(root, run, refused, cancellationToken)}";
            }
            catch (MySqlException exception) when (IsForGood(exception))
            {
                LogNotKept(exception.Message);
                return "; what was written to it since is not kept, because it could be neither dumped nor renamed";
            }
        }
    }

    // A restore that was cut off left a part of its snapshot; what was there before it is kept already.
    private async Task<bool> IsNobodysAsync(MySqlConnection root, MigrationRun? run, CancellationToken cancellationToken) =>
        await snapshots.IsPartlyRestoredAsync(cancellationToken)
        && run is not null && await journal.IsWrittenSinceAsync(root, run, cancellationToken) is not true;

    private async Task MoveAsideAsync(MySqlConnection root, JournaledChange change, Exception refused, CancellationToken cancellationToken)
    {
        try
        {
            await MoveAsideAsync(root, change.Run, refused, cancellationToken);
        }
        catch (MySqlException exception)
        {
            // Nothing has been taken away yet, and nothing will be.
            await change.MoveAsync(RunPhase.Changing, RunUndo.Nothing, cancellationToken);
            throw new MigrationFailedException(
                ExitCode.Failed,
                $"What is in {database.Name} could be neither dumped ({refused.Message}) nor renamed ({exception.Message}), so nothing was "
                + "changed.",
                exception);
        }
    }

    private async Task<string> MoveAsideAsync(
        MySqlConnection root, MigrationRun run, Exception refused, CancellationToken cancellationToken)
    {
        var aside = await database.MoveAsideAsync(root, $"{OwnTables.Prefix}kept_{run.Id}", cancellationToken);
        var where = settings.HasOneAccount ? $"under names that begin with {aside}_" : $"in the database {aside}";
        LogMovedAside(database.Name, where, refused.Message);
        return $"its tables could not be dumped and are kept {where}";
    }

    // A server that goes away or is busy is asked again, from the beginning; only what stays so is gone around.
    private static bool IsForGood(Exception exception) =>
        exception is MigrationRefusedException || (exception is MySqlException && !TransientCause.WhenInspecting(exception));

    [LoggerMessage(EventId = 510, Level = LogLevel.Warning, Message = "This takes the place of the run '{Verb}' ({Way}) of {Started:u}, "
        + "which was killed or could not be undone")]
    private partial void LogReplaced(string verb, string way, DateTimeOffset started);

    [LoggerMessage(EventId = 511, Level = LogLevel.Warning, Message = "The tables of {Database} are kept {Where}, with all "
        + "rows, because they cannot be dumped: {Cause}")]
    private partial void LogMovedAside(string database, string where, string cause);

    [LoggerMessage(EventId = 512, Level = LogLevel.Error, Message = "What is in the database can be neither dumped nor renamed, and is "
        + "given up for the state before: {Cause}")]
    private partial void LogNotKept(string cause);
}
