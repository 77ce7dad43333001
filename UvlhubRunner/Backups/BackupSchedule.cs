using System.Globalization;
using Polly.Registry;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Resilience;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Backups;

/// <summary>Makes backups, and keeps the time between them. What there is in the repository says when the last one was.</summary>
internal sealed partial class BackupSchedule(
    RunnerSettings settings, BackupRepository repository, BackupSeries series, JournaledChanges changes, SnapshotKeeper snapshots,
    UploadedFiles uploads, ResiliencePipelineProvider<string> pipelines, TimeProvider time, ILogger<BackupSchedule> logger)
{
    private DateTimeOffset? _last;

    private TimeSpan Every => settings.Options.Backups.Every;

    /// <summary>Makes one now.</summary>
    /// <exception cref="MigrationRefusedException">There is none; the message says why.</exception>
    public async Task BackUpAsync(CancellationToken cancellationToken)
    {
        await repository.OpenAsync(mayMake: true, cancellationToken);
        await MakeAsync(cancellationToken);
    }

    /// <summary>Makes one whenever it is due. What fails is tried again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await pipelines.GetPipeline(Pipelines.Backup).ExecuteAsync(
                async (schedule, token) => await schedule.AttemptAsync(token), this, cancellationToken);
            var wait = _last!.Value + Every - time.GetUtcNow();
            await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, time, cancellationToken);
        }
    }

    private async Task AttemptAsync(CancellationToken cancellationToken)
    {
        try
        {
            await repository.OpenAsync(mayMake: true, cancellationToken);
            _last = (await repository.ListAsync(cancellationToken)).FirstOrDefault(backup => backup.Series == series.Id)?.Time;
            if (_last is null || _last + Every <= time.GetUtcNow())
            {
                if (!File.Exists(SharedNames.BackupState))
                {
                    // It may take hours, and what is not healthy is ended.
                    Say((_last ?? time.GetUtcNow()) + (2 * Every), "the first backup is being made");
                }

                await MakeAsync(cancellationToken);
                _last = time.GetUtcNow();
            }

            Say(_last.Value + (2 * Every), $"the last backup is of {_last:u}");
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Say(_last is null ? DateTimeOffset.UnixEpoch : _last.Value + (2 * Every), CauseText.Of(exception));
            throw;
        }
    }

    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        // Before, so that a backup that is there means that all is well.
        await repository.TidyAsync(cancellationToken);
        // A restore in the middle of it would put one day's rows beside another day's uploads.
        await changes.RunExclusivelyAsync(
            async (_, _, token) =>
            {
                var snapshot = await snapshots.CreateAsync(SnapshotReason.Scheduled, protect: false, token);
                await repository.AddAsync(snapshot, uploads.Filled, token);
                LogMade(snapshot.Name, uploads.Filled ?? "no uploads", repository.Address);
            },
            cancellationToken,
            DeadRun.StaysOpen);
    }

    // By way of another name, because it is read at any time.
    private static void Say(DateTimeOffset healthyUntil, string why)
    {
        const string Partial = $"{SharedNames.BackupState}.partial";
        File.WriteAllLines(Partial, [healthyUntil.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), why]);
        File.Move(Partial, SharedNames.BackupState, overwrite: true);
    }

    [LoggerMessage(EventId = 710, Level = LogLevel.Information, Message = "The snapshot {Name} and {Uploads} are in {Repository}")]
    private partial void LogMade(string name, string uploads, string repository);
}
