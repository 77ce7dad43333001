using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Revisions;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Verbs;

/// <summary><c>seed</c> and <c>reset</c>.</summary>
internal sealed class DataVerbs(
    RunnerSettings settings, UvlhubDatabase database, RevisionReader revisions, JournaledChanges changes, FlaskCommands flask,
    SnapshotKeeper snapshots, Rollback rollback, Migrator migrator)
{
    /// <summary>Runs the checkout's seeder on a database at the head; a seeder that fails leaves nothing behind.</summary>
    /// <exception cref="MigrationRefusedException">The checkout has no seeder, or the database is not at the head.</exception>
    public async Task<ExitCode> SeedAsync(CancellationToken cancellationToken)
    {
        if (settings.Checkout.SeedCommand.Count == 0)
        {
            throw new MigrationRefusedException(
                "no-seeder",
                $"{settings.Checkout.Path} has no seeding command: neither its development entrypoint nor its migration script runs "
                + "'db:seed'.",
                $"Seed by hand: '{RunnerCommand.InToolbox(settings, "bash")}'.");
        }

        await changes.RunExclusivelyAsync(
            async (root, _, token) =>
            {
                var head = (await revisions.ReadAsync(token)).Head.Id;
                var facts = await database.InspectAsync(token);
                if (facts.Revisions is not [var current] || current != head)
                {
                    throw new MigrationRefusedException(
                        "not-at-head",
                        $"{database.Name} is at {Revision.List(facts.Revisions, none: "no revision")}, not "
                        + $"at the checkout's head {head}: its tables are not those that the seeder fills.",
                        $"First: {RunnerCommand.Line(settings, "migrate")}");
                }

                await flask.WaitAsync(token);
                var snapshot = await snapshots.EnsureAsync(facts.Revisions, "before seeding", token);
                await changes.RunAsync(
                    root, "seed", facts.Revisions, head, RunUndo.Restore, snapshot.Name, (_, work) => flask.SeedAsync(work), token);
            },
            cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Empties the database, after a dump of what is in it, and brings it to the head as a new one.</summary>
    /// <exception cref="MigrationRefusedException">Nobody has said yes, or the dump failed.</exception>
    public async Task<ExitCode> ResetAsync(bool isConfirmed, CancellationToken cancellationToken)
    {
        if (!isConfirmed)
        {
            var facts = await database.InspectAsync(cancellationToken);
            throw new MigrationRefusedException(
                "not-confirmed",
                $"This empties {database.Name} at {settings.Address} ({facts.Tables.Count} tables, revision "
                + $"{Revision.List(facts.Revisions)}), after a dump of it. No other database "
                + "and no container is touched.",
                $"If that is what you want: {RunnerCommand.Line(settings, "reset", "--yes")}");
        }

        // What comes after must be possible before anything is dropped.
        if (await CheckoutHistory.ReadAsync(revisions, cancellationToken) is { IsMissing: false, Problem: { } problem })
        {
            throw problem;
        }

        await changes.RunExclusivelyAsync(
            async (root, open, token) =>
            {
                await flask.WaitAsync(token);
                await rollback.ReplaceAsync(root, open, SnapshotReason.BeforeReset, (facts, kept, keep) =>
                    changes.RunAsync(root, "reset", facts.Revisions, "", RunUndo.Empty, kept, async (change, work) =>
                    {
                        await keep(change, work);
                        await database.EmptyAsync(root, work);
                    }, token), token);
                await migrator.MigrateAsync(root, open: null, await CheckoutHistory.ReadAsync(revisions, token), token);
            },
            cancellationToken,
            DeadRun.StaysOpen);
        return ExitCode.Done;
    }
}
