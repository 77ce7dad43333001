using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Settings;

namespace UvlhubAspire.Runner.Migration;

/// <summary>Everything that <c>status</c> and <c>plan</c> tell of; read without changing anything and without the lock.</summary>
internal sealed record MigrationStatus
{
    /// <summary>The state.</summary>
    public required DatabaseState State { get; init; }

    /// <summary>What the database says.</summary>
    public required DatabaseFacts Facts { get; init; }

    /// <summary>What the checkout's files say.</summary>
    public required CheckoutHistory History { get; init; }

    /// <summary>The latest runs, the newest first.</summary>
    public required IReadOnlyList<MigrationRun> Runs { get; init; }

    /// <summary>Who migrates at this moment; <see langword="null"/> if nobody does.</summary>
    public required string? LockHolder { get; init; }

    /// <summary>What the server calls itself.</summary>
    public required string ServerVersion { get; init; }

    /// <summary>In what way the runner refuses to migrate; <see langword="null"/> if it does not.</summary>
    public required MigrationRefusedException? Refusal { get; init; }

    /// <summary>Reads it.</summary>
    public static async Task<MigrationStatus> ReadAsync(
        RunnerSettings settings, UvlhubDatabase database, MigrationJournal journal, Refusals refusals, CancellationToken cancellationToken)
    {
        const int shownRuns = 10;
        var history = CheckoutHistory.Read(settings.Checkout.RevisionsDirectory);
        var facts = await database.InspectAsync(cancellationToken);
        await using var root = await database.ConnectAsRootAsync(cancellationToken);
        var holder = await MigrationLock.HolderAsync(root, database.Name, cancellationToken);
        var open = await journal.OpenRunAsync(root, cancellationToken);
        // While somebody holds the lock an open run is simply running.
        var state = DatabaseState.Of(facts, history, holder is null ? open : null);
        return new MigrationStatus
        {
            State = state,
            Facts = facts,
            History = history,
            Runs = await journal.ReadAsync(root, shownRuns, cancellationToken),
            LockHolder = holder,
            ServerVersion = root.ServerVersion,
            Refusal = state switch
            {
                DatabaseState.UnknownRevision unknown => await refusals.UnknownRevisionAsync(root, unknown, history, cancellationToken),
                DatabaseState.UnusableHistory when history.IsMissing =>
                    settings.Options.Migrator.InitializeMigrations && settings.IsDevelopment && facts.IsEmpty
                    ? null
                    : refusals.MissingMigrations(history.Problem!, hasTables: !facts.IsEmpty),
                DatabaseState.UnusableHistory unusable => unusable.Problem,
                _ => null,
            },
        };
    }
}
