using UvlhubAspire.Runner.Backups;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Verbs;

/// <summary><c>backups</c>, <c>restore-backup</c> and <c>schedule</c>.</summary>
internal sealed class BackupVerbs(
    RunnerSettings settings, BackupRepository repository, BackupSeries series, BackupSchedule schedule, SnapshotKeeper snapshots,
    UploadedFiles uploads, SnapshotVerbs verbs)
{
    /// <summary>Lists what is in the repository.</summary>
    public async Task<ExitCode> ListAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await repository.OpenAsync(mayMake: false, cancellationToken);
        var list = await repository.ListAsync(cancellationToken);
        var keep = settings.Options.Backups;
        await output.WriteLineAsync(
            $"{list.Count} backups in {repository.Address}, the newest first; kept are all of the last day, then the last one of each of "
            + $"{keep.KeepDaily} days, {keep.KeepWeekly} weeks and {keep.KeepMonthly} months:");
        foreach (var backup in list)
        {
            await output.WriteLineAsync(
                $"  {backup.ShortId}  {backup.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z  {backup.Hostname}, snapshot {backup.Snapshot}, "
                + $"{backup.Rows} rows, {(backup.Summary?.TotalBytesProcessed ?? 0) / 1024.0 / 1024.0:0.0} MB"
                + $"{(backup.Uploads is null ? ", no uploads" : "")}{(backup.Series == series.Id ? "" : ", of another server")}");
        }

        return ExitCode.Done;
    }

    /// <summary>Fetches a backup and restores it; from then on this server continues the series of that.</summary>
    /// <param name="id">The backup's id or a beginning of it, or its snapshot's name.</param>
    /// <exception cref="MigrationRefusedException">There is no such backup, or it is damaged.</exception>
    public async Task<ExitCode> RestoreAsync(string id, CancellationToken cancellationToken)
    {
        await repository.OpenAsync(mayMake: false, cancellationToken);
        var list = await repository.ListAsync(cancellationToken);
        if (list.Where(known => known.Id.StartsWith(id, StringComparison.Ordinal) || known.Snapshot == id).ToList() is not [var backup])
        {
            throw new MigrationRefusedException(
                "no-such-backup", $"There is no backup '{id}' in {repository.Address}, or more than one.",
                list.Count > 0
                    ? $"There are: {string.Join(", ", list.Select(known => $"{known.ShortId} ({known.Rows} rows)"))}"
                    : "There is none at all.");
        }

        var name = backup.Snapshot!;
        await snapshots.TakeInAsync(
            name, SnapshotReason.Fetched(backup.ShortId), (file, into) => repository.ReadFileAsync(backup, file, into, cancellationToken),
            cancellationToken);
        if (backup.Uploads is { } folder)
        {
            await uploads.TakeInAsync(name, into => repository.ReadFolderAsync(backup, folder, into, cancellationToken));
        }

        var code = await verbs.RestoreAsync(name, cancellationToken);
        series.Write(backup.Series!, repository.Address);
        return code;
    }

    /// <summary>Makes backups until it is ended, or one.</summary>
    public async Task<ExitCode> ScheduleAsync(bool once, CancellationToken cancellationToken)
    {
        await (once ? schedule.BackUpAsync(cancellationToken) : schedule.RunAsync(cancellationToken));
        return ExitCode.Done;
    }
}
