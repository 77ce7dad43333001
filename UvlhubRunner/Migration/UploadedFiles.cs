using System.ComponentModel;
using System.Globalization;
using System.IO.Compression;
using CliWrap;
using CliWrap.Buffered;

namespace UvlhubAspire.Runner.Migration;

/// <summary>
/// What users have uploaded, beside the snapshots that a person makes: <c>NAME.uploads.tar.gz</c>. Rows without their files
/// are half a site.
/// </summary>
internal sealed partial class UploadedFiles(RunnerSettings settings, TimeProvider time, ILogger<UploadedFiles> logger)
{
    private const string Ending = ".uploads.tar.gz";
    private const string PartialEnding = ".partial";
    private const string State = "uploads";

    // By tar, which gives files back to whom they belong to.
    private const string Tar = "tar";

    /// <summary>
    /// Where they are, for this process; <see langword="null"/> if they are in a volume that only containers see, or outside of the
    /// checkout, or if the folder has the code or the snapshots in it, which a restore must not replace.
    /// </summary>
    private string? Folder
    {
        get
        {
            var (inside, folder) = (settings.Checkout.WorkingDirectory.TrimEnd('/') + "/", settings.Checkout.UploadsFolder);
            var path = settings.Options.Migrator.Local ? Path.GetFullPath(folder)
                : settings.Checkout.Profile.Code == CodeSource.Mounted && folder.StartsWith(inside, StringComparison.Ordinal)
                    ? Path.GetFullPath(Path.Combine(settings.Checkout.Path, folder[inside.Length..]))
                    : null;
            return path is null || IsIn(settings.Checkout.Path, path) || IsIn(settings.SnapshotFolder, path) ? null : path;
        }
    }

    /// <summary>The folder, if there is something in it.</summary>
    public string? Filled => Folder is { } folder && HasFiles(folder) ? folder : null;

    /// <summary>Keeps what comes from elsewhere beside a snapshot.</summary>
    /// <param name="read">Writes it into a stream, as a tar file.</param>
    /// <exception cref="MigrationRefusedException">It cannot be written here.</exception>
    public async Task TakeInAsync(string snapshot, Func<Stream, Task> read)
    {
        var (archive, partial) = (ArchiveOf(snapshot), ArchiveOf(snapshot) + PartialEnding);
        try
        {
            await RefusingAsync($"{archive} cannot be written, so nothing was changed", async () =>
            {
                await using (var zipped = new GZipStream(new FileStream(partial, PrivateFile.Options(FileMode.Create)), CompressionLevel.Fastest))
                {
                    await read(zipped);
                }

                File.Move(partial, archive, overwrite: true);
            });
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Keeps them beside a snapshot; nothing where there are none.</summary>
    /// <exception cref="MigrationRefusedException">They cannot be kept; the snapshot is there without them.</exception>
    public async Task KeepAsync(string snapshot, CancellationToken cancellationToken)
    {
        if (Filled is { } folder)
        {
            await RefusingAsync($"The snapshot {snapshot} of the database is made, but what is in {folder} is not beside it", async () =>
                LogKept(folder, await ArchiveAsync(folder, ArchiveOf(snapshot), cancellationToken)));
        }
    }

    /// <summary>Checks that what is beside a snapshot can be read to its end.</summary>
    /// <exception cref="MigrationRefusedException">It cannot.</exception>
    public async Task VerifyAsync(string snapshot, CancellationToken cancellationToken)
    {
        if (Folder is not null && ArchiveOf(snapshot) is var archive && File.Exists(archive))
        {
            await RefusingAsync(
                $"{archive} cannot be read, so nothing was changed",
                () => TarAsync(cancellationToken, "--list", "--gzip", "--file", archive));
        }
    }

    /// <summary>
    /// Puts back what is beside a snapshot, after what is there now has been set aside; nothing where there is none. It can be cut off
    /// anywhere and run again.
    /// </summary>
    /// <exception cref="MigrationFailedException">They are not put back; the message says where they are.</exception>
    public async Task PutBackAsync(string snapshot, CancellationToken cancellationToken)
    {
        if (Folder is not { } folder || ArchiveOf(snapshot) is not { } archive || !File.Exists(archive))
        {
            return;
        }

        try
        {
            var directory = Directory.CreateDirectory(folder);
            if (HasFiles(folder))
            {
                var stamp = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH-mm-ss.fff'Z'", CultureInfo.InvariantCulture);
                var aside = Path.Combine(settings.SnapshotFolder, $"{stamp}_set-aside{Ending}");
                LogSetAside(folder, await ArchiveAsync(folder, aside, cancellationToken));
            }

            // Not the folder itself, which may be a volume.
            foreach (var entry in directory.EnumerateFileSystemInfos())
            {
                if (entry is DirectoryInfo { LinkTarget: null } inner)
                {
                    inner.Delete(recursive: true);
                }
                else
                {
                    entry.Delete();
                }
            }

            await TarAsync(cancellationToken, "--extract", "--gzip", "--file", archive, "--directory", folder);
            LogPutBack(folder, archive);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MigrationFailedException(
                ExitCode.Failed,
                $"The database is as in the snapshot {snapshot}, but {folder} is not: {exception.Message.TrimEnd('.')}. What belongs there "
                + $"is in {archive}. When the cause is gone: {RunnerCommand.Line(settings, "restore", snapshot)}",
                exception);
        }
    }

    private static bool IsIn(string path, string folder) => Path.GetRelativePath(folder, path) is var relative
        && relative != ".." && !relative.StartsWith($"..{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
        && !Path.IsPathRooted(relative);

    private static bool HasFiles(string folder) => Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any();

    private string ArchiveOf(string snapshot) => Path.Combine(settings.SnapshotFolder, snapshot + Ending);

    private static async Task<string> ArchiveAsync(string folder, string archive, CancellationToken cancellationToken)
    {
        // For this user alone, as a dump is.
        var partial = archive + PartialEnding;
        await new FileStream(partial, PrivateFile.Options(FileMode.Create)).DisposeAsync();
        try
        {
            await TarAsync(cancellationToken, "--create", "--gzip", "--file", partial, "--directory", folder, ".");
            File.Move(partial, archive);
            return archive;
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static async Task TarAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        try
        {
            var result = await Cli.Wrap(Tar).WithArguments(arguments).WithValidation(CommandResultValidation.None)
                .WithEnvironmentVariables(environment => environment.Set("LC_ALL", "C"))
                .ExecuteBufferedAsync(cancellationToken);
            var errors = result.StandardError.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (result.ExitCode != 0 && !(result.ExitCode == 1 && errors.All(IsOfALiveSite)))
            {
                throw new IOException(errors.FirstOrDefault() ?? $"{Tar} ended with exit code {result.ExitCode}");
            }
        }
        catch (Win32Exception exception)
        {
            throw new IOException($"{Tar} cannot be run: {exception.Message}", exception);
        }
    }

    private static async Task RefusingAsync(string problem, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MigrationRefusedException(
                State, $"{problem}: {exception.Message.TrimEnd('.')}.", "When the cause is gone, do the same again.");
        }
    }

    // The site goes on while they are kept; what is being written at the moment was not acknowledged yet.
    private static bool IsOfALiveSite(string error) => error.EndsWith("file changed as we read it", StringComparison.Ordinal)
        || error.EndsWith("File removed before we read it", StringComparison.Ordinal);

    [LoggerMessage(EventId = 530, Level = LogLevel.Information, Message = "What is in {Folder} is kept in {Archive}")]
    private partial void LogKept(string folder, string archive);

    [LoggerMessage(EventId = 531, Level = LogLevel.Information, Message = "What was in {Folder} is set aside in {Archive}")]
    private partial void LogSetAside(string folder, string archive);

    [LoggerMessage(EventId = 532, Level = LogLevel.Information, Message = "{Folder} is as it was: {Archive}")]
    private partial void LogPutBack(string folder, string archive);
}
