using Polly.Registry;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Resilience;

namespace UvlhubAspire.Runner.Migration;

/// <summary>
/// How everything that changes the database is done: alone, announced in the journal, and undone if it fails.
/// </summary>
internal sealed partial class JournaledChanges(
    RunnerSettings settings,
    UvlhubDatabase database,
    MigrationJournal journal,
    Rollback rollback,
    SnapshotKeeper snapshots,
    ResiliencePipelineProvider<string> pipelines,
    TimeProvider time,
    ILogger<JournaledChanges> logger)
{
    // After Ctrl+C there is some time to put things back; what is not done by then, the next run does.
    private static readonly TimeSpan s_interruptedLimit = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Takes the lock, puts right what a dead run left, and works. If the database goes away or is busy, all of that is
    /// done again: nothing is ever repeated on top of a half-made change.
    /// </summary>
    /// <param name="work">The work; the connection holds the lock, the run is one whose seeding is due.</param>
    public async Task RunExclusivelyAsync(
        Func<MySqlConnection, MigrationRun?, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await pipelines.GetPipeline(Pipelines.Flask).ExecuteAsync(
                async token => await AttemptAsync(work, token), cancellationToken);
        }
        catch (LockLostException exception)
        {
            throw new MigrationFailedException(
                ExitCode.Unreachable,
                $"{exception.Message}, again and again. The journal knows what was being done: when MariaDB is back, "
                + $"'{RunnerCommand.Line(settings, "migrate")}' puts it right first.",
                exception);
        }
        catch (FlaskException exception)
        {
            throw new MigrationFailedException(ExitCode.Failed, exception.Message, exception);
        }
    }

    /// <summary>Makes one change: opens its entry, works, closes it; if it fails, the state before comes back.</summary>
    /// <param name="snapshot">The snapshot that belongs to it; protected until the entry is closed.</param>
    /// <param name="cancellationToken">Ends it; the state before comes back then, too.</param>
    public async Task RunAsync(
        MySqlConnection root,
        string verb,
        IReadOnlyList<string> from,
        string to,
        RunUndo undo,
        string? snapshot,
        Func<JournaledChange, CancellationToken, Task> work,
        CancellationToken cancellationToken)
    {
        var visitors = await database.CountVisitorsAsync(root, cancellationToken);
        var hadVisitors = visitors > 0;
        if (hadVisitors)
        {
            LogVisitors(visitors, database.Name);
        }

        var change = new JournaledChange(
            journal, root, await journal.BeginAsync(root, verb, string.Join(", ", from), to, undo, snapshot, cancellationToken));
        try
        {
            await work(change, cancellationToken);
            await journal.CloseAsync(root, change.Run, MigrationRun.Succeeded, cause: null, cancellationToken);
            await journal.CloseDueSeedingsAsync(root, change.Run, cancellationToken);
            snapshots.Release(snapshot);
        }
        catch (Exception exception)
        {
            await FailedAsync(root, change.Run, hadVisitors, exception, cancellationToken);
            throw;
        }
    }

    private async Task AttemptAsync(Func<MySqlConnection, MigrationRun?, CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        await using var held = await MigrationLock.AcquireAsync(database, settings, time, logger, cancellationToken);
        try
        {
            await database.EnsureDatabasesAsync(held.Connection, cancellationToken);
            await database.CheckApplicationUserAsync(cancellationToken);
            var open = await journal.OpenRunAsync(held.Connection, cancellationToken);
            if (open is { Phase: RunPhase.Changing })
            {
                await RecoverAsync(held.Connection, open, cancellationToken);
                open = null;
            }

            await work(held.Connection, open, cancellationToken);
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or FlaskException { IsTransient: true }))
        {
            if (!await held.IsHeldAsync(CancellationToken.None))
            {
                throw new LockLostException(database.Name, exception);
            }

            throw;
        }
    }

    private async Task RecoverAsync(MySqlConnection root, MigrationRun run, CancellationToken cancellationToken)
    {
        LogKilledRun(run.Verb, run.Way, run.Started, run.Process);
        var done = await rollback.UndoAsync(root, run, hadVisitors: true, cancellationToken);
        await journal.CloseAsync(root, run, MigrationRun.Killed, done, cancellationToken);
        snapshots.Release(run.Snapshot);
        LogRecovered(done);
    }

    private async Task FailedAsync(
        MySqlConnection root, MigrationRun run, bool hadVisitors, Exception failure, CancellationToken cancellationToken)
    {
        if (run.Phase == RunPhase.SeedDue)
        {
            // Stays open: the next run seeds.
            return;
        }

        using var limit = new CancellationTokenSource(s_interruptedLimit, time);
        var isInterrupted = failure is OperationCanceledException && cancellationToken.IsCancellationRequested;
        if (isInterrupted)
        {
            LogInterrupted();
        }

        var token = isInterrupted ? limit.Token : cancellationToken;
        var cause = CauseText.Of(failure);
        string done;
        try
        {
            done = await rollback.UndoAsync(root, run, hadVisitors, token);
            await journal.CloseAsync(root, run, isInterrupted ? MigrationRun.Interrupted : MigrationRun.Failed, cause, token);
            snapshots.Release(run.Snapshot);
        }
        catch (MigrationFailedException notRestored)
        {
            throw new MigrationFailedException(notRestored.ExitCode, $"{cause}{Environment.NewLine}{notRestored.Message}", notRestored);
        }

        switch (failure)
        {
            case FlaskException { IsTransient: false }:
                throw new MigrationFailedException(ExitCode.Failed, $"{cause}{Environment.NewLine}Put back: {done}.", failure);
            case MigrationFailedException failed:
                throw new MigrationFailedException(failed.ExitCode, $"{cause}{Environment.NewLine}Put back: {done}.", failure);
            default:
                LogPutBack(done);
                break;
        }
    }

    [LoggerMessage(EventId = 520, Level = LogLevel.Warning, Message = "The run '{Verb}' ({Way}) of {Started:u} in process {Process} was "
        + "killed before it was done; putting things back first")]
    private partial void LogKilledRun(string verb, string way, DateTimeOffset started, string process);

    [LoggerMessage(EventId = 521, Level = LogLevel.Warning, Message = "Recovered from the killed run: {Done}")]
    private partial void LogRecovered(string done);

    [LoggerMessage(EventId = 522, Level = LogLevel.Warning, Message = "Interrupted; putting things back")]
    private partial void LogInterrupted();

    [LoggerMessage(EventId = 524, Level = LogLevel.Warning, Message = "{Count} other connections to {Database} are open: what they write "
        + "while it is being changed may have to be put back by hand if that fails")]
    private partial void LogVisitors(int count, string database);

    [LoggerMessage(EventId = 523, Level = LogLevel.Warning, Message = "Put back: {Done}")]
    private partial void LogPutBack(string done);
}

/// <summary>A change that the journal knows of, while it is being made.</summary>
internal sealed class JournaledChange(MigrationJournal journal, MySqlConnection connection, MigrationRun run)
{
    public MigrationRun Run { get; private set; } = run;

    /// <summary>Moves the entry to a phase; durable when this returns.</summary>
    public async Task MoveAsync(RunPhase phase, RunUndo undo, CancellationToken cancellationToken) =>
        Run = await journal.MoveAsync(connection, Run, phase, undo, cancellationToken);
}
