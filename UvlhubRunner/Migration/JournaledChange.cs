using MySqlConnector;
using UvlhubAspire.Runner.Journal;

namespace UvlhubAspire.Runner.Migration;

/// <summary>A change that the journal knows of, while it is being made.</summary>
internal sealed class JournaledChange(MigrationJournal journal, MySqlConnection connection, MigrationRun run)
{
    /// <summary>The entry as it stands in the journal.</summary>
    public MigrationRun Run { get; private set; } = run;

    /// <summary>Moves the entry to a phase; durable when this returns.</summary>
    public async Task MoveAsync(RunPhase phase, RunUndo undo, CancellationToken cancellationToken) =>
        Run = await journal.MoveAsync(connection, Run, phase, undo, cancellationToken);
}
