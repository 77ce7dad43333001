using System.ComponentModel;
using System.Globalization;
using System.Text;
using System.Text.Json;
using CliWrap;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Backups;

/// <summary>The repository that restic keeps the backups in.</summary>
internal sealed partial class BackupRepository(
    RunnerSettings settings, BackupSeries series, SnapshotKeeper snapshots, SftpAccess sftp, ILogger<BackupRepository> logger)
{
    private const string Program = "restic";
    private const string PasswordVariable = "RESTIC_PASSWORD";
    private const string State = "backup";

    // https://restic.readthedocs.io/en/stable/075_scripting.html#exit-codes
    private const int NoRepository = 10;
    private const int WrongPassword = 12;

    // What it prints has to be read, or it ends in the middle.
    private static readonly PipeTarget s_unread = PipeTarget.ToStream(Stream.Null);

    // By itself restic asks for a quarter of an hour.
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(60);

    /// <summary>Where it is, as restic writes it.</summary>
    /// <exception cref="UserErrorException">Nowhere.</exception>
    public string Address => settings.Options.Backups.Repository is { Length: > 0 } address
        ? address
        : throw new UserErrorException(
            $"there are no backups here: {UvlhubOptions.Section}:{nameof(UvlhubOptions.Backups)}:"
            + $"{nameof(UvlhubOptions.BackupOptions.Repository)} is not set");

    /// <summary>Looks whether it is there and can be read.</summary>
    /// <param name="mayMake">Whether one is made where there was none.</param>
    /// <exception cref="MigrationRefusedException">It cannot be read; the message has restic's reason.</exception>
    public async Task OpenAsync(bool mayMake, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable(PasswordVariable)))
        {
            throw new UserErrorException($"{SecretKeys.BackupPassword} is empty here, and {Address} is encrypted with it");
        }

        snapshots.CreateFolder();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_answer);
        var opened = await RunAsync(s_unread, limit.Token, cancellationToken, "cat", "config");
        // Else a share that is not mounted today would get a repository of its own, on the disk below it.
        if (opened.ExitCode == NoRepository && mayMake && !series.IsIn(Address))
        {
            await DoAsync(cancellationToken, "init");
            LogMade(Address);
        }
        else if (opened.ExitCode != 0)
        {
            throw Failed("open", opened);
        }

        if (mayMake)
        {
            series.Continue(Address);
        }
    }

    /// <summary>The backups in it, the newest first.</summary>
    public async Task<IReadOnlyList<Backup>> ListAsync(CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        await SucceedAsync(PipeTarget.ToStringBuilder(text), cancellationToken, "snapshots", "--json");
        return
        [
            .. JsonSerializer.Deserialize(text.ToString(), BackupJson.Default.IReadOnlyListBackup)!
                .Where(backup => backup.Snapshot is not null).OrderByDescending(backup => backup.Time),
        ];
    }

    /// <summary>Checks it, and forgets what of this server's backups is older than what is kept.</summary>
    public async Task TidyAsync(CancellationToken cancellationToken)
    {
        var keep = settings.Options.Backups;
        // Locks of runs that were killed, and no others.
        await DoAsync(cancellationToken, "unlock");
        await DoAsync(cancellationToken, "check");
        await DoAsync(
            cancellationToken, "forget", "--prune", "--group-by", "host", "--tag", Backup.TagOf(series.Id!), "--keep-within", "1d",
            "--keep-daily", Text(keep.KeepDaily), "--keep-weekly", Text(keep.KeepWeekly), "--keep-monthly", Text(keep.KeepMonthly));
    }

    /// <summary>Puts a snapshot into it, and the uploads.</summary>
    /// <param name="uploads">The folder of the uploads; <see langword="null"/> for none.</param>
    public Task AddAsync(Snapshot snapshot, string? uploads, CancellationToken cancellationToken) => DoAsync(
        cancellationToken,
        [
            "backup", "--host", settings.Options.Publish.Name ?? settings.Checkout.Name, "--tag", Backup.TagsOf(series.Id!, snapshot),
            // What has not changed since the last one is not read again, although the snapshot has another name.
            "--group-by", "host",
            .. SnapshotStore.FilesOf(snapshot.Name), .. uploads is null ? Array.Empty<string>() : [uploads],
        ]);

    /// <summary>Writes a file of a backup into a stream.</summary>
    public Task ReadFileAsync(Backup backup, string file, Stream into, CancellationToken cancellationToken) =>
        SucceedAsync(PipeTarget.ToStream(into), cancellationToken, "dump", backup.Id, $"/{file}");

    /// <summary>Writes a folder of a backup into a stream, as a tar file.</summary>
    public Task ReadFolderAsync(Backup backup, string folder, Stream into, CancellationToken cancellationToken) =>
        SucceedAsync(PipeTarget.ToStream(into), cancellationToken, "dump", "--archive", "tar", $"{backup.Id}:{folder}", "/");

    private Task DoAsync(CancellationToken cancellationToken, params string[] words) =>
        SucceedAsync(s_unread, cancellationToken, words);

    private async Task SucceedAsync(PipeTarget output, CancellationToken cancellationToken, params string[] words)
    {
        var result = await RunAsync(output, cancellationToken, cancellationToken, words);
        if (result.ExitCode != 0)
        {
            throw Failed(words[0], result);
        }
    }

    private async Task<ResticResult> RunAsync(
        PipeTarget output, CancellationToken limit, CancellationToken cancellationToken, params string[] words)
    {
        var errors = new StringBuilder();
        try
        {
            var result = await Cli.Wrap(Program).WithArguments(["--quiet", "--retry-lock", "1m", .. sftp.Options(Address), .. words])
                // The snapshot's files have no folder in the backup, for on another server that is another one.
                .WithWorkingDirectory(settings.SnapshotFolder)
                .WithEnvironmentVariables(environment => environment.Set("RESTIC_REPOSITORY", Address))
                .WithStandardOutputPipe(output).WithStandardErrorPipe(PipeTarget.ToStringBuilder(errors))
                .WithValidation(CommandResultValidation.None)
                .ExecuteAsync(limit);
            return new ResticResult(result.ExitCode, errors.ToString());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ResticResult(-1, $"{errors}{System.Environment.NewLine}Fatal: no answer within {s_answer.TotalSeconds:0} s");
        }
        catch (Win32Exception exception)
        {
            throw new UserErrorException(
                $"{Program} cannot be run here ({exception.Message}); it is in the containers of what is published");
        }
    }

    private MigrationRefusedException Failed(string what, ResticResult result) => result.ExitCode switch
    {
        NoRepository when series.IsIn(Address) => new(
            State,
            $"There is no repository in {Address} any more.",
            $"Mount what it is on, or bring it back. To begin another one in its place, delete {series.File}."),
        NoRepository => new(State, $"There is no repository in {Address}.", "The first backup makes it."),
        WrongPassword => new(
            State,
            $"{Address} does not open with this password.",
            $"Give the one that it was made with ({SecretKeys.BackupPassword})."),
        _ => new(State, $"{Program} {what} {Address}: {Reason(result)}", ""),
    };

    // The first line says what is wrong and the last one that it is fatal; where there is one alone it says both.
    private static string Reason(ResticResult result)
    {
        const string Fatal = "Fatal: ";
        var lines = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string?[] said = [lines.FirstOrDefault(), lines.LastOrDefault(line => line.StartsWith(Fatal, StringComparison.Ordinal))];
        var reason = string.Join("; ", said.OfType<string>().Select(line => line.Replace(Fatal, "", StringComparison.Ordinal)).Distinct());
        return reason.Length > 0 ? reason : $"exit code {result.ExitCode}";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(EventId = 700, Level = LogLevel.Information, Message = "Made a repository of backups in {Repository}")]
    private partial void LogMade(string repository);

    private sealed record ResticResult(int ExitCode, string Errors);
}
