using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Revisions;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Migration;

/// <summary>Brings a database to the checkout's head, from whatever state it is in, or refuses and says why.</summary>
internal sealed partial class Migrator(
    RunnerSettings settings,
    UvlhubDatabase database,
    RevisionReader revisions,
    MigrationJournal journal,
    JournaledChanges changes,
    FlaskCommands flask,
    SnapshotKeeper snapshots,
    Refusals refusals,
    UnversionedTables unversioned,
    RevisionLint lint,
    Rehearsal rehearsal,
    TimeProvider time,
    ILogger<Migrator> logger)
{
    private const string Verb = "migrate";

    /// <summary>Does what the state of the database asks for.</summary>
    /// <param name="asItIs">Whether the database is taken as a run that was killed has left it.</param>
    /// <param name="expectsEmpty">Whether what an empty database needs is loaded before it is known to be one.</param>
    /// <exception cref="MigrationRefusedException">The state needs a person's decision; nothing was changed.</exception>
    /// <exception cref="MigrationFailedException">Something was begun and failed; the message says how things are now.</exception>
    public async Task<ExitCode> MigrateAsync(bool asItIs, bool expectsEmpty, CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("migrate");
        var started = time.GetTimestamp();
        // Both while MariaDB still starts.
        if (expectsEmpty && flask.Seeds)
        {
            flask.PrepareEarly(cancellationToken);
        }

        var history = ReadAsync();
        await changes.RunExclusivelyAsync(
            async (root, open, token) =>
            {
                history = history.IsFaulted ? ReadAsync() : history;
                await MigrateAsync(root, open, await history, token);
            },
            cancellationToken,
            asItIs ? DeadRun.IsTakenAsItIs : DeadRun.IsUndone);
        LogDone(time.GetElapsedTime(started).TotalSeconds, database.Unanswered.TotalSeconds);
        return ExitCode.Done;

        Task<CheckoutHistory> ReadAsync() => Task.Run(() => CheckoutHistory.ReadAsync(revisions, cancellationToken), cancellationToken);
    }

    /// <summary>The same, for one that holds the lock.</summary>
    public async Task MigrateAsync(MySqlConnection root, MigrationRun? open, CheckoutHistory history, CancellationToken cancellationToken)
    {
        // Over the connection of the lock: if it breaks, the whole attempt begins anew.
        var facts = await database.InspectAsync(root, cancellationToken);
        switch (DatabaseState.Of(facts, history, open))
        {
            case DatabaseState.AtHead state:
                LogAtHead(database.Name, state.Head.Id);
                break;

            case DatabaseState.Empty state:
                LogEmpty(database.Name, state.Pending.Count, history.Graph!.Head.Id);
                await UpgradeEmptyAsync(root, history.Graph, state.Pending, cancellationToken);
                break;

            case DatabaseState.Behind state:
                LogBehind(database.Name, string.Join(", ", state.Current), state.Pending.Count, history.Graph!.Head.Id);
                await UpgradeAsync(root, history.Graph, state, cancellationToken);
                break;

            case DatabaseState.SeedDue state:
                LogSeedDue(state.Run.Started);
                await SeedLateAsync(root, state, cancellationToken);
                break;

            case DatabaseState.Unversioned state:
                await unversioned.StampAsync(root, state, history.Graph!, cancellationToken);
                break;

            case DatabaseState.PartlyRestored state:
                throw refusals.PartlyRestored(state);

            case DatabaseState.UnknownRevision state:
                throw await refusals.UnknownRevisionAsync(root, state, history, cancellationToken);

            case DatabaseState.UnusableHistory when history.IsMissing:
                await InitializeMigrationsAsync(root, facts, history.Problem!, cancellationToken);
                break;

            case DatabaseState.UnusableHistory state:
                throw state.Problem;

            case var state:
                // JournaledChanges.RunExclusivelyAsync has put right what a dead run left.
                throw new InvalidOperationException($"the state '{state.Name}' cannot come here");
        }

        await journal.VouchAsync(root, (await database.InspectAsync(root, cancellationToken)).Revisions[0], cancellationToken);
    }

    private async Task UpgradeEmptyAsync(
        MySqlConnection root, RevisionGraph graph, IReadOnlyList<Revision> pending, CancellationToken cancellationToken)
    {
        await flask.WaitAsync(cancellationToken, several: flask.Seeds);
        await changes.RunAsync(root, Verb, [], graph.Head.Id, RunUndo.Empty, snapshot: null, async (change, token) =>
        {
            await flask.UpgradeAsync(graph, pending, token);
            if (flask.Seeds)
            {
                await change.MoveAsync(RunPhase.SeedDue, RunUndo.Nothing, token);
                await change.MoveAsync(RunPhase.Changing, RunUndo.Empty, token);
                await flask.SeedAsync(token);
            }
        }, cancellationToken);
        LogMigrated(database.Name, graph.Head.Id);
    }

    private async Task UpgradeAsync(
        MySqlConnection root, RevisionGraph graph, DatabaseState.Behind state, CancellationToken cancellationToken)
    {
        await flask.WaitAsync(cancellationToken);
        var (_, isAdditive) = await lint.CheckAsync(root, state.Pending, cancellationToken);
        var snapshot = await SnapshotAsync(graph, state, cancellationToken);
        if (rehearsal.IsDue(isAdditive))
        {
            await rehearsal.RunAsync(root, graph, state.Pending, snapshot, report: null, cancellationToken);
        }

        await changes.RunAsync(root, Verb, state.Current, graph.Head.Id, RunUndo.Restore, snapshot.Name, async (change, token) =>
        {
            await flask.UpgradeAsync(graph, state.Pending, token);
            if (state.Unseeded is not null && flask.Seeds)
            {
                await flask.SeedAsync(token);
            }
        }, cancellationToken);
        LogMigrated(database.Name, graph.Head.Id);
        LogSnapshotKept(snapshot.Name, snapshots.Folder);
    }

    /// <summary>Runs pending revisions on a copy and changes nothing, for one that holds the lock.</summary>
    /// <exception cref="MigrationFailedException">A revision fails on the copy; the message has its error.</exception>
    /// <param name="report">Takes what each revision does to the rows.</param>
    public async Task RehearseAsync(
        MySqlConnection root, RevisionGraph graph, DatabaseState.Behind state, Func<string, Task> report,
        CancellationToken cancellationToken)
    {
        await flask.WaitAsync(cancellationToken, several: true);
        var snapshot = await SnapshotAsync(graph, state, cancellationToken);
        try
        {
            await rehearsal.RunAsync(root, graph, state.Pending, snapshot, report, cancellationToken);
        }
        finally
        {
            snapshots.Release(snapshot.Name);
        }
    }

    private Task<Snapshot> SnapshotAsync(RevisionGraph graph, DatabaseState.Behind state, CancellationToken cancellationToken) =>
        snapshots.EnsureAsync(state.Current, $"before {string.Join(", ", state.Current)} → {graph.Head.Id}", cancellationToken);

    private async Task SeedLateAsync(MySqlConnection root, DatabaseState.SeedDue state, CancellationToken cancellationToken)
    {
        if (!flask.Seeds)
        {
            await journal.CloseAsync(root, state.Run, MigrationRun.Killed, "the checkout is not seeded any more", cancellationToken);
            return;
        }

        await flask.WaitAsync(cancellationToken);
        // Whoever used the application since then may have made rows.
        var snapshot = await snapshots.EnsureAsync([state.Head.Id], "before seeding", cancellationToken);
        await changes.RunAsync(
            root, "seed", [state.Head.Id], state.Head.Id, RunUndo.Restore, snapshot.Name, (_, token) => flask.SeedAsync(token),
            cancellationToken);
    }

    private async Task InitializeMigrationsAsync(
        MySqlConnection root, DatabaseFacts facts, MigrationRefusedException problem, CancellationToken cancellationToken)
    {
        if (!settings.Options.Migrator.InitializeMigrations || !settings.IsDevelopment || !facts.IsEmpty)
        {
            throw refusals.MissingMigrations(problem, hasTables: !facts.IsEmpty);
        }

        LogInitializing(settings.Checkout.Path);
        await flask.WaitAsync(cancellationToken);
        await flask.InitializeMigrationsAsync(problem.State == RevisionGraph.NoFolder, cancellationToken);
        var history = await CheckoutHistory.ReadAsync(revisions, cancellationToken);
        if (history.Graph is not { } graph)
        {
            throw history.Problem!;
        }

        // flask db migrate may have left Alembic's table, empty, behind.
        await UpgradeEmptyAsync(root, graph, graph.Pending([]), cancellationToken);
    }

    [LoggerMessage(EventId = 400, Level = LogLevel.Information, Message = "{Database} is at the checkout's head {Revision}: nothing to do")]
    private partial void LogAtHead(string database, string revision);

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "{Database} is empty: {Count} revisions to run, up to {Head}")]
    private partial void LogEmpty(string database, int count, string head);

    [LoggerMessage(EventId = 402, Level = LogLevel.Information, Message = "{Database} is at {Current}: {Count} revisions to run, up to "
        + "{Head}")]
    private partial void LogBehind(string database, string current, int count, string head);

    [LoggerMessage(EventId = 403, Level = LogLevel.Information, Message = "{Database} is at the checkout's head {Revision}")]
    private partial void LogMigrated(string database, string revision);

    [LoggerMessage(EventId = 404, Level = LogLevel.Information, Message = "The state before is kept: snapshot {Snapshot} in {Folder}")]
    private partial void LogSnapshotKept(string snapshot, string folder);

    [LoggerMessage(EventId = 405, Level = LogLevel.Warning, Message = "The run of {Started:u} died after the upgrade and before the "
        + "seeding: seeding now")]
    private partial void LogSeedDue(DateTimeOffset started);

    [LoggerMessage(EventId = 406, Level = LogLevel.Warning, Message = "Making the first migration of {Checkout}, because "
        + "Uvlhub:Migrator:InitializeMigrations asks for it")]
    private partial void LogInitializing(string checkout);

    [LoggerMessage(EventId = 407, Level = LogLevel.Information, Message = "Done in {Seconds:0.000} s; MariaDB did not answer for the "
        + "first {Unanswered:0.000} s of them")]
    private partial void LogDone(double seconds, double unanswered);
}
