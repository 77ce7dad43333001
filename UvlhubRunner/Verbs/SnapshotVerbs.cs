using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Snapshots;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Verbs;

/// <summary><c>backup</c>, <c>restore</c> and <c>snapshots</c>.</summary>
internal sealed partial class SnapshotVerbs(
    RunnerSettings settings, UvlhubDatabase database, JournaledChanges changes, Rollback rollback, SnapshotKeeper snapshots,
    UploadedFiles uploads, ILogger<SnapshotVerbs> logger)
{
    /// <summary>Makes a snapshot of the database as it is and of what was uploaded, and prints its name.</summary>
    public async Task<ExitCode> BackupAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await changes.RunExclusivelyAsync(
            async (_, _, token) =>
            {
                var snapshot = await snapshots.CreateAsync(SnapshotReason.Backup, protect: false, token);
                await uploads.KeepAsync(snapshot.Name, token);
                await output.WriteLineAsync(snapshot.Name);
            },
            cancellationToken,
            DeadRun.StaysOpen);
        return ExitCode.Done;
    }

    /// <summary>Gives the database a snapshot's content, and back what was uploaded; what is there now is kept first.</summary>
    /// <exception cref="MigrationRefusedException">There is no such snapshot, or it is damaged.</exception>
    public async Task<ExitCode> RestoreAsync(string name, CancellationToken cancellationToken)
    {
        var snapshot = snapshots.Find(name) ?? throw new MigrationRefusedException(
            "no-such-snapshot",
            $"There is no snapshot '{name}' of {database.Name} in {snapshots.Folder}.",
            snapshots.List() is { Count: > 0 } list
                ? $"There are: {string.Join(", ", list.Select(known => known.Name))}"
                : "There is none at all; 'backup' makes one, and so does every migration of a database with rows.");
        await snapshots.VerifyAsync(snapshot, cancellationToken);
        await uploads.VerifyAsync(name, cancellationToken);
        // The dump of what is in the database now must not push out the very snapshot that is wanted.
        snapshots.Protect(name);
        try
        {
            await changes.RunExclusivelyAsync(
                async (root, open, token) =>
                {
                    await rollback.ReplaceAsync(root, open, SnapshotReason.BeforeRestore(name), async (facts, kept, keep) =>
                    {
                        snapshots.Release(kept);
                        snapshots.Protect(name);
                        await changes.RunAsync(
                            root, "restore", facts.Revisions, Revision.List(snapshot.Revisions, none: ""), RunUndo.Restore, name,
                            async (change, work) =>
                            {
                                await keep(change, work);
                                await snapshots.RestoreAsync(snapshot, work);
                            },
                            token);
                        // Before the site is let in again.
                        await uploads.PutBackAsync(name, token);
                    }, token);
                    LogNext(
                        Revision.List(snapshot.Revisions), RunnerCommand.Line(settings, "migrate"));
                },
                cancellationToken,
                DeadRun.StaysOpen);
        }
        // Where its entry in the journal is still open, the next run needs the snapshot.
        catch (Exception exception)
            when (exception is not MigrationFailedException { ExitCode: ExitCode.NotRestored or ExitCode.Unreachable })
        {
            snapshots.Release(name);
            throw;
        }

        return ExitCode.Done;
    }

    public async Task<ExitCode> ListAsync(TextWriter output)
    {
        var list = snapshots.List();
        await output.WriteLineAsync(list.Count == 0
            ? $"There is no snapshot of {database.Name} in {snapshots.Folder}."
            : $"{list.Count} snapshots of {database.Name} in {snapshots.Folder}, the newest first; of automatic ones "
                + $"{settings.Options.Snapshots.Keep} are kept (Uvlhub:Snapshots:Keep), the others until you delete their files:");
        foreach (var snapshot in list)
        {
            await output.WriteLineAsync(
                $"  {snapshot.Name}  revision {Revision.List(snapshot.Revisions)}, "
                + $"{snapshot.Content.Rows} rows, {snapshot.Bytes / 1024.0 / 1024.0:0.0} MB, "
                + $"{SnapshotReason.Describe(snapshot.Class)}: {snapshot.Reason}");
        }

        return ExitCode.Done;
    }

    [LoggerMessage(EventId = 600, Level = LogLevel.Information, Message = "The database is at revision {Revision} now; to bring it to the "
        + "checkout's head: {Command}")]
    private partial void LogNext(string revision, string command);
}
