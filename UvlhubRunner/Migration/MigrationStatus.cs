using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>Everything that <c>status</c> and <c>plan</c> tell of.</summary>
/// <param name="State">The state.</param>
/// <param name="Facts">What the database says.</param>
/// <param name="History">What the checkout's files say.</param>
/// <param name="Runs">The latest runs, the newest first.</param>
/// <param name="LockHolder">Who migrates at this moment; <see langword="null"/> if nobody does.</param>
/// <param name="ServerVersion">What the server calls itself.</param>
/// <param name="Refusal">In what way the runner refuses to migrate; <see langword="null"/> if it does not.</param>
/// <param name="Steps">What <c>migrate</c> does; nothing if it refuses or has nothing to do.</param>
internal sealed record MigrationStatus(
    DatabaseState State,
    DatabaseFacts Facts,
    CheckoutHistory History,
    IReadOnlyList<MigrationRun> Runs,
    string? LockHolder,
    string ServerVersion,
    MigrationRefusedException? Refusal,
    IReadOnlyList<string> Steps);

/// <summary>Reads a <see cref="MigrationStatus"/>, without changing anything and without the lock.</summary>
internal sealed class StatusReader(
    RunnerSettings settings, UvlhubDatabase database, RevisionReader revisions, MigrationJournal journal, Refusals refusals,
    FlaskCommands flask)
{
    private const int KnownRuns = 100;

    public async Task<MigrationStatus> ReadAsync(CancellationToken cancellationToken)
    {
        var history = await CheckoutHistory.ReadAsync(revisions, cancellationToken);
        var facts = await database.InspectAsync(cancellationToken);
        await using var root = await database.ConnectAsRootAsync(cancellationToken);
        var holder = await MigrationLock.HolderAsync(root, database.Name, cancellationToken);
        var open = await journal.OpenRunAsync(root, cancellationToken);
        // While somebody holds the lock an open run is simply running.
        var state = DatabaseState.Of(facts, history, holder is null ? open : null);
        return new MigrationStatus(
            state,
            facts,
            history,
            await journal.ReadAsync(root, KnownRuns, cancellationToken),
            holder,
            root.ServerVersion,
            state switch
            {
                DatabaseState.Interrupted interrupted => await refusals.WrittenSinceAsync(root, interrupted.Run, cancellationToken),
                DatabaseState.PartlyRestored partly => refusals.PartlyRestored(partly),
                DatabaseState.UnknownRevision unknown => await refusals.UnknownRevisionAsync(root, unknown, history, cancellationToken),
                DatabaseState.UnusableHistory when history.IsMissing =>
                    settings.Options.Migrator.InitializeMigrations && settings.IsDevelopment && facts.IsEmpty
                    ? null
                    : refusals.MissingMigrations(history.Problem!, hasTables: !facts.IsEmpty),
                DatabaseState.UnusableHistory unusable => unusable.Problem,
                _ => null,
            },
            StateText.Steps(state, flask.Seeds ? string.Join(' ', settings.Checkout.SeedCommand) : null));
    }
}
