using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// The snapshots of one folder. Each is two files, <c>NAME.sql.gz</c> and <c>NAME.json</c>; a third,
/// <c>NAME.protected</c>, keeps it from retention. Whatever is being written ends in <c>.partial</c> and becomes a
/// snapshot by a rename, so that there are no half ones.
/// </summary>
/// <param name="folder">The folder; it is created with the first snapshot, for this user alone, for dumps hold what users typed.</param>
/// <param name="keep">
/// How many automatic snapshots of one database are kept; the oldest go first. The newest is always kept, of scheduled ones nothing but
/// the newest, and every one of another <see cref="SnapshotClass"/>.
/// </param>
internal sealed partial class SnapshotStore(string folder, int keep, TimeProvider? time = null)
{
    // States of a refusal.
    public const string SnapshotFailed = "snapshot-failed";

    public const string SnapshotDamaged = "snapshot-damaged";

    public const string RestoreFailed = "restore-failed";

    private const string DumpEnding = ".sql.gz";
    private const string ManifestEnding = ".json";
    private const string ProtectedEnding = ".protected";
    private const string PartialEnding = ".partial";

    // Room that is left for the server and everything else.
    private const long Reserve = 32L * 1024 * 1024;

    private static readonly TimeSpan s_partialLimit = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>All complete snapshots, the newest first. What cannot be read as one is not listed.</summary>
    public IReadOnlyList<Snapshot> List()
    {
        if (!Directory.Exists(Folder))
        {
            return [];
        }

        return [.. Directory.EnumerateFiles(Folder, $"*{ManifestEnding}")
            .Select(Read)
            .OfType<Snapshot>()
            .OrderByDescending(snapshot => snapshot.Number)
            .ThenByDescending(snapshot => snapshot.Created)
            .ThenByDescending(snapshot => snapshot.Name, StringComparer.Ordinal)];
    }

    public Snapshot? Find(string name) => List().FirstOrDefault(snapshot => string.Equals(snapshot.Name, name, StringComparison.Ordinal));

    /// <summary>
    /// Dumps the database and deletes the oldest automatic snapshots beyond the number to keep. If anything fails, nothing is left
    /// behind and no older snapshot is deleted.
    /// </summary>
    /// <exception cref="MigrationRefusedException">No snapshot was made; the message says why.</exception>
    public async Task<Snapshot> CreateAsync(
        DatabaseAccess database, SnapshotRequest request, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken)
    {
        var maker = new SnapshotMaker(database);
        var outlook = await maker.EstimateAsync(cancellationToken);
        var snapshot = await WriteFolderAsync(() =>
        {
            CreateFolder();
            RemoveLeftovers();
            CheckRoom(outlook.EstimatedBytes);
            return WriteAsync(maker, outlook, database, request, progress, cancellationToken);
        });
        Prune(snapshot.Database);
        return snapshot;
    }

    /// <summary>
    /// Takes a snapshot for one more purpose, because it holds what a new one would: it is the newest from now on, and no
    /// automatic one any more if the new purpose is none.
    /// </summary>
    /// <exception cref="MigrationRefusedException">Its description cannot be written.</exception>
    public Task<Snapshot> ReuseAsync(Snapshot snapshot, string reason, CancellationToken cancellationToken) =>
        WriteFolderAsync(async () =>
        {
            var used = snapshot with
            {
                Number = NextNumber(),
                Reason = snapshot.Class is SnapshotClass.Automatic or SnapshotClass.Scheduled ? reason : snapshot.Reason,
            };
            await WriteManifestAsync(used, cancellationToken);
            return used;
        });

    /// <summary>
    /// Gives the database of the snapshot's name the snapshot's content: verifies the file, drops what is in the database,
    /// loads, and compares the result with the snapshot. A restore that was cut off can simply be run again.
    /// </summary>
    /// <param name="database">The database; its name must be the snapshot's.</param>
    /// <exception cref="MigrationRefusedException">It is not restored; the message says whether the database was touched.</exception>
    public Task RestoreAsync(
        DatabaseAccess database, Snapshot snapshot, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken) =>
        new SnapshotLoader(Existing(snapshot.Name)).RestoreAsync(database, progress, cancellationToken);

    /// <summary>Loads a snapshot into an empty database of any name, without comparing: a copy to try something on.</summary>
    /// <exception cref="MigrationRefusedException">The file is damaged, or the server does not take it.</exception>
    public Task LoadAsync(
        DatabaseAccess database, Snapshot snapshot, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken) =>
        new SnapshotLoader(Existing(snapshot.Name)).LoadCopyAsync(database, progress, cancellationToken);

    /// <summary>How a database differs from a snapshot (tables, row counts, checksums, revision), for people; empty if it
    /// does not.</summary>
    public Task<IReadOnlyList<string>> CompareAsync(DatabaseAccess database, Snapshot snapshot, CancellationToken cancellationToken) =>
        new SnapshotLoader(Existing(snapshot.Name)).CompareAsync(database, cancellationToken);

    /// <summary>The name of the snapshot whose restore into this database was cut off; <see langword="null"/> if none was.</summary>
    public static async Task<string?> UnfinishedRestoreAsync(DatabaseAccess database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await UnfinishedRestore.ReadAsync(new ContentReader(connection, database.Database), cancellationToken);
    }

    /// <summary>The names of a snapshot's files in the folder.</summary>
    public static string[] FilesOf(string name) => [name + ManifestEnding, name + DumpEnding];

    /// <summary>Takes in a snapshot from elsewhere, as the newest; in place of one of the same name.</summary>
    /// <param name="read">Writes one of its files into a stream.</param>
    /// <exception cref="MigrationRefusedException">It cannot be written here.</exception>
    public Task<Snapshot> TakeInAsync(
        string name, string reason, Func<string, Stream, Task> read, CancellationToken cancellationToken) => WriteFolderAsync(async () =>
        {
            CreateFolder();
            using var manifest = new MemoryStream();
            await read(name + ManifestEnding, manifest);
            var snapshot = JsonSerializer.Deserialize(manifest.ToArray(), SnapshotJson.Default.Snapshot)! with
            {
                Number = NextNumber(),
                Reason = reason,
                File = PathOf(name, DumpEnding),
            };
            TryDelete(PathOf(name, DumpEnding + PartialEnding));
            await using (var dump = new FileStream(PathOf(name, DumpEnding + PartialEnding), Options()))
            {
                await read(name + DumpEnding, dump);
                dump.Flush(flushToDisk: true);
            }

            File.Move(PathOf(name, DumpEnding + PartialEnding), snapshot.File, overwrite: true);
            await WriteManifestAsync(snapshot, cancellationToken);
            return snapshot;
        });

    /// <summary>Keeps a snapshot from retention until <see cref="Release"/>: a run that may have to restore it has begun.</summary>
    public void Protect(string name) => File.WriteAllText(PathOf(Existing(name).Name, ProtectedEnding), "");

    /// <summary>Ends <see cref="Protect"/>; no error if it was not protected, or is gone.</summary>
    public void Release(string name)
    {
        if (Find(name) is { } snapshot)
        {
            File.Delete(PathOf(snapshot.Name, ProtectedEnding));
        }
    }

    /// <summary>Whether a run that may have to restore this snapshot has begun and not ended.</summary>
    public bool IsProtected(string name) => Find(name) is { } snapshot && File.Exists(PathOf(snapshot.Name, ProtectedEnding));

    /// <summary>Checks that a snapshot's file is the one that was written.</summary>
    /// <exception cref="MigrationRefusedException">It is not; the message says in what.</exception>
    public Task VerifyAsync(Snapshot snapshot, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken) =>
        new SnapshotLoader(Existing(snapshot.Name)).VerifyAsync(progress, cancellationToken);

    /// <summary>Deletes the oldest unprotected automatic snapshots of a database beyond the number to keep, and all scheduled ones but the
    /// newest.</summary>
    /// <returns>The names of those deleted.</returns>
    public IReadOnlyList<string> Prune(string database)
    {
        List<string> deleted = [];
        var all = List().Where(snapshot => snapshot.Database == database).ToLookup(snapshot => snapshot.Class);
        foreach (var snapshot in all[SnapshotClass.Automatic].Skip(Math.Max(keep, 1)).Concat(all[SnapshotClass.Scheduled].Skip(1)))
        {
            // First what makes it a snapshot; a file that is then left over goes with the next clean-up. One snapshot too many
            // harms nobody, and the next run tries again.
            if (!IsProtected(snapshot.Name) && TryDelete(snapshot.File) && TryDelete(PathOf(snapshot.Name, ManifestEnding)))
            {
                deleted.Add(snapshot.Name);
            }
        }

        return deleted;
    }

    private async Task<Snapshot> WriteAsync(
        SnapshotMaker maker, SnapshotMaker.SnapshotEstimate outlook, DatabaseAccess database, SnapshotRequest request,
        IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken)
    {
        var created = _time.GetUtcNow();
        created = created.AddTicks(-(created.Ticks % TimeSpan.TicksPerSecond));
        var (name, file) = TakeName(created, outlook.Revisions);
        try
        {
            Snapshot snapshot;
            await using (file)
            {
                using var hash = SHA256.Create();
                await using var hashed = new CryptoStream(file, hash, CryptoStreamMode.Write, leaveOpen: true);
                var dumped = await maker.DumpAsync(hashed, progress, outlook.EstimatedBytes, cancellationToken);
                await hashed.FlushFinalBlockAsync(cancellationToken);
                file.Flush(flushToDisk: true);
                snapshot = new Snapshot
                {
                    Name = name,
                    Database = database.Database,
                    Revisions = dumped.Revisions,
                    Created = created,
                    Checkout = request.Checkout,
                    Reason = request.Reason,
                    Number = NextNumber(),
                    ServerVersion = dumped.ServerVersion,
                    Sha256 = Convert.ToHexStringLower(hash.Hash!),
                    Bytes = file.Length,
                    DumpBytes = dumped.Bytes,
                    LongestStatement = dumped.LongestStatement,
                    Content = dumped.Content,
                    File = PathOf(name, DumpEnding),
                };
            }

            if (request.Protect)
            {
                await File.WriteAllTextAsync(PathOf(name, ProtectedEnding), "", cancellationToken);
            }

            await WriteManifestAsync(snapshot, cancellationToken);
            File.Move(file.Name, snapshot.File);
            // Before the journal, which may lie on another disk, says that there is one.
            DurableFolder.Flush(Folder);
            return snapshot;
        }
        catch
        {
            foreach (var ending in new[] { DumpEnding + PartialEnding, ManifestEnding + PartialEnding, ManifestEnding, ProtectedEnding })
            {
                TryDelete(PathOf(name, ending));
            }

            throw;
        }
    }

    private async Task WriteManifestAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var partial = PathOf(snapshot.Name, ManifestEnding + PartialEnding);
        await using (var file = new FileStream(partial, Options()))
        {
            await JsonSerializer.SerializeAsync(file, snapshot, SnapshotJson.Default.Snapshot, cancellationToken);
            await file.FlushAsync(cancellationToken);
            file.Flush(flushToDisk: true);
        }

        File.Move(partial, PathOf(snapshot.Name, ManifestEnding), overwrite: true);
        DurableFolder.Flush(Folder);
    }

    private long NextNumber() => List().Select(snapshot => snapshot.Number).DefaultIfEmpty().Max() + 1;

    private async Task<Snapshot> WriteFolderAsync(Func<Task<Snapshot>> write)
    {
        try
        {
            return await write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Refused(
                $"{Folder} cannot be written: {exception.Message.TrimEnd('.')}",
                "Make room or give write permission there, or choose another folder (Uvlhub:Snapshots:Path), then start again.");
        }
    }

    // Takes the name by creating its file; whoever comes in the same second takes the next one.
    private (string Name, FileStream File) TakeName(DateTimeOffset created, IReadOnlyList<string>? revisions)
    {
        var revision = revisions switch
        {
            null => "unversioned",
            [] => "none",
            _ => Unsafe().Replace(string.Join('+', revisions), "-"),
        };
        var first = $"{created.UtcDateTime.ToString("yyyy-MM-dd'T'HH-mm-ss'Z'", CultureInfo.InvariantCulture)}_{revision[..Math.Min(revision.Length, 64)]}";
        for (var number = 1; ; number++)
        {
            var name = number == 1 ? first : string.Create(CultureInfo.InvariantCulture, $"{first}-{number}");
            if (File.Exists(PathOf(name, DumpEnding)) || File.Exists(PathOf(name, ManifestEnding)))
            {
                continue;
            }

            try
            {
                return (name, new FileStream(PathOf(name, DumpEnding + PartialEnding), Options()));
            }
            catch (IOException) when (File.Exists(PathOf(name, DumpEnding + PartialEnding)))
            {
                // Taken in the meantime.
            }
        }
    }

    private static FileStreamOptions Options()
    {
        var options = PrivateFile.Options(FileMode.CreateNew);
        options.Share = FileShare.None;
        options.BufferSize = 128 * 1024;
        options.Options = FileOptions.Asynchronous;
        return options;
    }

    /// <summary>Creates the folder, for this user alone.</summary>
    public void CreateFolder()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Folder);
        }
        else
        {
            Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    // A dump's text is compressed to less than the rows take, except bytes that do not compress: those are written in
    // hexadecimal, which comes down to a fifth more than they take.
    private void CheckRoom(long estimatedBytes)
    {
        var needed = estimatedBytes + (estimatedBytes / 4) + Reserve;
        var free = new DriveInfo(Folder).AvailableFreeSpace;
        if (free < needed)
        {
            throw Refused(
                $"{Folder} has {Megabytes(free)} free, and a snapshot of this database may take {Megabytes(needed)}",
                "Make room there, or choose a folder on another disk (Uvlhub:Snapshots:Path), then start again.");
        }
    }

    // What runs that were killed have left: files that nobody writes any more, descriptions of dumps that are gone.
    private void RemoveLeftovers()
    {
        var limit = _time.GetUtcNow().UtcDateTime - s_partialLimit;
        var partial = Directory.EnumerateFiles(Folder, $"*{PartialEnding}").Where(file => IsOld(file) && IsUnused(file));
        var alone = new[] { ManifestEnding, ProtectedEnding }.SelectMany(ending => Directory.EnumerateFiles(Folder, $"*{ending}")
            .Where(file => SnapshotName().IsMatch(Path.GetFileName(file))
                && !File.Exists($"{file[..^ending.Length]}{DumpEnding}") && IsOld(file)));
        foreach (var file in partial.Concat(alone).ToList())
        {
            TryDelete(file);
        }

        bool IsOld(string file) => File.GetLastWriteTimeUtc(file) < limit;
    }

    private static bool IsUnused(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // What cannot be deleted goes with the next clean-up.
    private static bool TryDelete(string file)
    {
        try
        {
            File.Delete(file);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private Snapshot? Read(string manifest)
    {
        var name = Path.GetFileName(manifest)[..^ManifestEnding.Length];
        var dump = PathOf(name, DumpEnding);
        try
        {
            using var file = File.OpenRead(manifest);
            return File.Exists(dump)
                && JsonSerializer.Deserialize(
                    file, SnapshotJson.Default.Snapshot) is { Content.Tables: not null, Content.Others: not null } snapshot
                ? snapshot with { Name = name, File = dump }
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or NotSupportedException)
        {
            return null;
        }
    }

    // Somebody may have deleted it since it was listed.
    private Snapshot Existing(string name) => Find(name) ?? throw new MigrationRefusedException(
        SnapshotDamaged, $"There is no snapshot '{name}' in {Folder}.", "'snapshots' lists those that there are.");

    private string PathOf(string name, string ending) => Path.Combine(Folder, name + ending);

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MB");

    private static MigrationRefusedException Refused(string problem, string remedy) => new(
        SnapshotFailed, $"No snapshot was made, so nothing was changed: {problem}.", remedy);

    [GeneratedRegex("[^A-Za-z0-9_.+]")]
    private static partial Regex Unsafe();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ_")]
    private static partial Regex SnapshotName();
}
