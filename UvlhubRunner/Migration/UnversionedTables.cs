using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>
/// What is done about tables without a revision: they get the head's only if they are what the head's revisions make.
/// What those make is found out by running them on an empty scratch database and comparing the two. This says more than
/// <c>flask db check</c>, which compares models instead of revisions, and only after a stamp that may be wrong.
/// </summary>
internal sealed partial class UnversionedTables(
    RunnerSettings settings,
    UvlhubDatabase database,
    JournaledChanges changes,
    FlaskCommands flask,
    SnapshotKeeper snapshots,
    Refusals refusals,
    ILogger<UnversionedTables> logger)
{
    /// <summary>Stamps the head, or refuses and lists the differences.</summary>
    public async Task StampAsync(
        MySqlConnection root, DatabaseState.Unversioned state, RevisionGraph graph, CancellationToken cancellationToken)
    {
        if (settings.HasOneAccount)
        {
            throw refusals.NotComparable(state, graph.Head.Id);
        }

        LogComparing(database.Name, state.Tables.Count, graph.Head.Id);
        await flask.WaitAsync(cancellationToken);
        await using var scratch = await ScratchDatabase.CreateAsync(root, "check", database.Name, cancellationToken);
        await flask.UpgradeAsync(graph, graph.Pending([]), cancellationToken, scratch.Environment);
        var expected = await DatabaseSchema.ReadAsync(root, scratch.Name, cancellationToken);
        if (expected.Tables.Count == 0)
        {
            throw new MigrationFailedException(
                ExitCode.Failed,
                "The checkout does not take its database's name from MARIADB_DATABASE, so its head cannot be compared with the "
                + $"tables of {database.Name}.");
        }

        var differences = (await DatabaseSchema.ReadAsync(root, database.Name, cancellationToken)).DifferencesFrom(expected);
        if (differences.Count > 0)
        {
            throw refusals.Unversioned(state, graph.Head.Id, differences);
        }

        var snapshot = await snapshots.EnsureAsync([], "before the revision was stamped", cancellationToken);
        await changes.RunAsync(
            root, "stamp", [], graph.Head.Id, RunUndo.Restore, snapshot.Name,
            (_, token) => database.CopyVersionAsync(root, scratch.Name, token), cancellationToken);
        LogStamped(database.Name, graph.Head.Id);
    }

    [LoggerMessage(EventId = 420, Level = LogLevel.Warning, Message = "{Database} has {Count} tables but no revision: comparing them with "
        + "what the revisions up to {Head} make")]
    private partial void LogComparing(string database, int count, string head);

    [LoggerMessage(EventId = 421, Level = LogLevel.Information, Message = "The tables of {Database} are those of {Head}: it now has that "
        + "revision")]
    private partial void LogStamped(string database, string head);
}
