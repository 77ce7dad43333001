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
    SiteLockout lockout,
    MigrationJournal journal,
    Rollback rollback,
    Refusals refusals,
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
    /// <param name="work">The work; the connection holds the lock, the run is one that is still open.</param>
    /// <param name="deadRun">What is done about a run that died while it was changing something. Default: it is undone.</param>
    public async Task RunExclusivelyAsync(
        Func<MySqlConnection, MigrationRun?, CancellationToken, Task> work, CancellationToken cancellationToken,
        DeadRun deadRun = DeadRun.IsUndone)
    {
        try
        {
            await pipelines.GetPipeline(Pipelines.Flask).ExecuteAsync(
                async token => await AttemptAsync(work, deadRun, token), cancellationToken);
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
        if (await database.CountVisitorsAsync(root, cancellationToken) is > 0 and var visitors)
        {
            LogVisitors(visitors, database.Name);
        }

        var change = new JournaledChange(
            journal, root, await journal.BeginAsync(root, verb, string.Join(", ", from), to, undo, snapshot, cancellationToken));
        await using var sign = new SignOfLife(database, journal, change.Run, time);
        try
        {
            await work(change, cancellationToken);
            await journal.CloseAsync(root, change.Run, MigrationRun.Succeeded, cause: null, cancellationToken);
        }
        catch (Exception exception)
        {
            await FailedAsync(root, change.Run, exception, cancellationToken);
            throw;
        }

        // It is done: whatever fails from here on undoes nothing.
        await journal.CloseEarlierAsync(root, change.Run, cancellationToken);
        snapshots.Release(snapshot);
    }

    private async Task AttemptAsync(
        Func<MySqlConnection, MigrationRun?, CancellationToken, Task> work, DeadRun deadRun, CancellationToken cancellationToken)
    {
        await using var held = await MigrationLock.AcquireAsync(database, settings, time, logger, cancellationToken);
        try
        {
            await database.EnsureDatabasesAsync(held.Connection, cancellationToken);
            var open = await journal.OpenRunAsync(held.Connection, cancellationToken);
            if (open is { Phase: RunPhase.Changing })
            {
                open = await SettleAsync(held.Connection, open, deadRun, cancellationToken);
            }

            // Also whom a runner that was killed has locked out.
            await lockout.EndAsync(held.Connection, cancellationToken);
            await database.CheckApplicationUserAsync(cancellationToken);
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
        finally
        {
            await LetInAsync(held);
        }
    }

    // In every way out.
    private async Task LetInAsync(MigrationLock held)
    {
        using var limit = new CancellationTokenSource(s_interruptedLimit, time);
        try
        {
            if (lockout.IsInForce && await held.IsHeldAsync(limit.Token))
            {
                await lockout.EndAsync(held.Connection, limit.Token);
            }
        }
        catch (Exception exception) when (exception is MySqlException or InvalidOperationException or OperationCanceledException)
        {
            LogNotLetIn(settings.Application.UserID, database.Name, exception.Message);
        }
    }

    // The run, if it is still open afterwards.
    private async Task<MigrationRun?> SettleAsync(
        MySqlConnection root, MigrationRun run, DeadRun deadRun, CancellationToken cancellationToken)
    {
        switch (deadRun)
        {
            case DeadRun.StaysOpen:
                return run;

            case DeadRun.IsTakenAsItIs:
                LogTakenAsItIs(run.Verb, run.Way, run.Started);
                await CloseAsync("what it had left was taken as it was, because a person said so");
                return null;

            default:
                if (await refusals.WrittenSinceAsync(root, run, cancellationToken) is { } refusal)
                {
                    throw refusal;
                }

                LogKilledRun(run.Verb, run.Way, run.Started, run.Process);
                await using (new SignOfLife(database, journal, run, time))
                {
                    var done = await rollback.UndoAsync(root, run, cancellationToken);
                    await CloseAsync(done);
                    LogRecovered(done);
                }

                return null;
        }

        async Task CloseAsync(string cause)
        {
            await journal.CloseAsync(root, run, MigrationRun.Killed, cause, cancellationToken);
            await journal.CloseEarlierAsync(root, run, cancellationToken, RunPhase.Changing);
            snapshots.Release(run.Snapshot);
        }
    }

    private async Task FailedAsync(MySqlConnection root, MigrationRun run, Exception failure, CancellationToken cancellationToken)
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
            done = await rollback.UndoAsync(root, run, token);
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

    [LoggerMessage(EventId = 524, Level = LogLevel.Warning, Message = "{Count} other connections to {Database} are open: if the change "
        + "fails, what they write meanwhile is set aside in a snapshot, and is not in the database")]
    private partial void LogVisitors(int count, string database);

    [LoggerMessage(EventId = 526, Level = LogLevel.Warning, Message = "Taking the database as the run '{Verb}' ({Way}) of {Started:u} has "
        + "left it")]
    private partial void LogTakenAsItIs(string verb, string way, DateTimeOffset started);

    [LoggerMessage(EventId = 527, Level = LogLevel.Error, Message = "'{User}' could not be let into {Database} again, the next run "
        + "does it: {Cause}")]
    private partial void LogNotLetIn(string user, string database, string cause);

    [LoggerMessage(EventId = 523, Level = LogLevel.Warning, Message = "Put back: {Done}")]
    private partial void LogPutBack(string done);
}

/// <summary>What becomes of a run that died while it was changing something.</summary>
internal enum DeadRun
{
    /// <summary>The state before it comes back.</summary>
    IsUndone,

    /// <summary>It stays as it is: what is done now takes its place, or changes nothing.</summary>
    StaysOpen,

    /// <summary>It is closed, and what it has left is where the work begins.</summary>
    IsTakenAsItIs,
}

/// <summary>Writes down every few seconds that a run is at work, so that a later one can tell what was written after it died.</summary>
internal sealed class SignOfLife : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _writing;

    public SignOfLife(UvlhubDatabase database, MigrationJournal journal, MigrationRun run, TimeProvider time) =>
        _writing = WriteAsync(database, journal, run, time);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _writing;
        _end.Dispose();
    }

    private async Task WriteAsync(UvlhubDatabase database, MigrationJournal journal, MigrationRun run, TimeProvider time)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(MigrationJournal.Interval, time, _end.Token);
                await database.BesideAsync((connection, token) => journal.SeenAsync(connection, run, token), _end.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or MySqlException or MigrationFailedException)
            {
                // Only a sign; the work itself will say what is wrong.
            }
        }
    }
}

/// <summary>A change that the journal knows of, while it is being made.</summary>
internal sealed class JournaledChange(MigrationJournal journal, MySqlConnection connection, MigrationRun run)
{
    public MigrationRun Run { get; private set; } = run;

    /// <summary>Moves the entry to a phase; durable when this returns.</summary>
    public async Task MoveAsync(RunPhase phase, RunUndo undo, CancellationToken cancellationToken) =>
        Run = await journal.MoveAsync(connection, Run, phase, undo, cancellationToken);
}
