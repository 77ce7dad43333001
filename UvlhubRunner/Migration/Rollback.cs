using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Journal;

namespace UvlhubAspire.Runner.Migration;

/// <summary>
/// Brings the state before a run back, for a run that has just failed as for one that was killed: MariaDB cannot undo
/// changes of a schema by itself. It can be cut off at any point and run again.
/// </summary>
internal sealed partial class Rollback(
    RunnerSettings settings, UvlhubDatabase database, Toolbox toolbox, SnapshotKeeper snapshots, ILogger<Rollback> logger)
{
    /// <param name="hadVisitors">
    /// Whether somebody else may have used the database since the run began. Rows of theirs are not in the snapshot, so
    /// what is in the database is dumped before it is put back.
    /// </param>
    /// <returns>What was done, for people.</returns>
    /// <exception cref="MigrationFailedException">It could not be undone; the message names the snapshot and the remedy.</exception>
    public async Task<string> UndoAsync(MySqlConnection root, MigrationRun run, bool hadVisitors, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("undo");
        if (run.Undo == RunUndo.Nothing)
        {
            return "nothing was changed";
        }

        try
        {
            await toolbox.EndLeftoversAsync(cancellationToken);
            if (await database.EndOtherConnectionsAsync(root, cancellationToken) is > 0 and var ended)
            {
                hadVisitors = true;
                LogConnectionsEnded(ended, database.Name);
            }

            return run.Undo == RunUndo.Restore
                ? await RestoreAsync(root, run, hadVisitors, cancellationToken)
                : await EmptyAsync(root, hadVisitors, cancellationToken);
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
                        + $"the next run restores it first ('{RunnerCommand.Line(settings, "migrate")}')."),
                exception);
        }
    }

    private async Task<string> RestoreAsync(MySqlConnection root, MigrationRun run, bool hadVisitors, CancellationToken cancellationToken)
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

        if (hadVisitors)
        {
            await KeepAsync(root, $"before {snapshot.Name} was restored", cancellationToken);
        }

        await snapshots.RestoreAsync(snapshot, cancellationToken);
        return $"the database is as it was before: the snapshot {snapshot.Name} was restored and verified";
    }

    private async Task<string> EmptyAsync(MySqlConnection root, bool hadVisitors, CancellationToken cancellationToken)
    {
        var facts = await database.InspectAsync(root, cancellationToken);
        if (!(facts.IsEmpty && !facts.HasVersionTable))
        {
            if (hadVisitors)
            {
                await KeepAsync(root, "before it was emptied", cancellationToken);
            }

            await database.EmptyAsync(root, cancellationToken);
        }

        return "the database is empty";
    }

    private async Task KeepAsync(MySqlConnection root, string reason, CancellationToken cancellationToken)
    {
        // A restore that was cut off left a part of its snapshot and nobody's rows; what was there before it is in a dump.
        if (await snapshots.IsPartlyRestoredAsync(cancellationToken))
        {
            return;
        }

        if (await database.HasRowsAsync(root, await database.InspectAsync(root, cancellationToken), cancellationToken))
        {
            await snapshots.CreateAsync($"{SnapshotKeeper.HalfChanged}, {reason}", protect: false, cancellationToken);
        }
    }

    [LoggerMessage(EventId = 510, Level = LogLevel.Warning, Message = "Ended {Count} connections to {Database} before putting it back")]
    private partial void LogConnectionsEnded(int count, string database);
}
