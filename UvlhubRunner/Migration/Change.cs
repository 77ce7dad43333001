using MySqlConnector;
using UvlhubAspire.Runner.Journal;

namespace UvlhubAspire.Runner.Migration;

/// <summary>A change that the journal knows of, while it is being made.</summary>
/// <param name="journal">The journal.</param>
/// <param name="connection">The connection that holds the lock.</param>
/// <param name="run">The open entry.</param>
internal sealed class Change(MigrationJournal journal, MySqlConnection connection, MigrationRun run)
{
    /// <summary>The entry as it stands in the journal.</summary>
    public MigrationRun Run { get; private set; } = run;

    /// <summary>Moves the entry to a phase; durable when this returns.</summary>
    public async Task MoveAsync(RunPhase phase, RunUndo undo, CancellationToken cancellationToken) =>
        Run = await journal.MoveAsync(connection, Run, phase, undo, cancellationToken);
}
