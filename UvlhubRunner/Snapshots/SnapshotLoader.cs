using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>Verifies a snapshot's file and gives a database its content.</summary>
internal sealed class SnapshotLoader(Snapshot snapshot)
{
    private const int BufferLength = 128 * 1024;

    // Building the indexes of a large table takes its time, without a byte being read.
    private static readonly TimeSpan s_silenceLimit = TimeSpan.FromMinutes(15);

    /// <summary>Checks that the file is the one that was written.</summary>
    /// <exception cref="MigrationRefusedException">It is not; the message says in what.</exception>
    public async Task VerifyAsync(IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken)
    {
        var dump = new MeasuredDump(bytes => progress?.Report(new SnapshotProgress("Verifying", bytes, snapshot.DumpBytes)));
        string sha256;
        long length;
        try
        {
            await using var file = Open();
            using var hash = SHA256.Create();
            await using var hashed = new CryptoStream(file, hash, CryptoStreamMode.Read);
            await using (var decompressed = new GZipStream(hashed, CompressionMode.Decompress, leaveOpen: true))
            {
                await dump.CopyAsync(decompressed, Stream.Null, () => { }, cancellationToken);
            }

            // What stands behind the compressed data counts for the checksum as well.
            await hashed.CopyToAsync(Stream.Null, cancellationToken);
            sha256 = Convert.ToHexStringLower(hash.Hash!);
            length = file.Length;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw Damaged(exception.Message.TrimEnd('.'));
        }

        if (length != snapshot.Bytes)
        {
            throw Damaged($"it has {length} bytes, and {snapshot.Bytes} were written");
        }

        if (!string.Equals(sha256, snapshot.Sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw Damaged($"its SHA-256 is {sha256}, and {snapshot.Sha256} was written");
        }

        if (dump.Length != snapshot.DumpBytes || !dump.LastLineStartsWith(Encoding.UTF8.GetBytes(SnapshotMaker.LastLine)))
        {
            throw Damaged("the dump in it is not whole");
        }
    }

    /// <summary>Verifies the file, empties the database, loads the dump, compares.</summary>
    /// <exception cref="MigrationRefusedException">The message says whether the database was touched.</exception>
    public async Task RestoreAsync(DatabaseAccess access, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken)
    {
        if (!string.Equals(access.Database, snapshot.Database, StringComparison.Ordinal))
        {
            throw Untouched(
                $"the snapshot {snapshot.Name} is of the database '{snapshot.Database}', not of '{access.Database}'",
                "Choose one of this database ('snapshots' lists them).");
        }

        await VerifyAsync(progress, cancellationToken);
        await using (var connection = await access.OpenAsync(cancellationToken))
        {
            var reader = new ContentReader(connection, access.Database);
            await CheckServerAsync(reader, cancellationToken);
            await WaitForOtherAsync(reader, access, cancellationToken);
            await UnfinishedRestore.MarkAsync(reader, snapshot.Name, cancellationToken);
            await EmptyAsync(connection, access, cancellationToken);
        }

        await LoadAsync(access, progress, cancellationToken);
        await GrantAsync(access, cancellationToken);
        progress?.Report(new SnapshotProgress("Comparing", snapshot.DumpBytes, snapshot.DumpBytes));
        if (await CompareAsync(access, cancellationToken) is { Count: > 0 } differences)
        {
            throw Partly(
                access,
                $"what was loaded is not what the snapshot says:{Environment.NewLine}  "
                + $"{string.Join($"{Environment.NewLine}  ", differences)}{Environment.NewLine}");
        }

        await using var last = await access.OpenAsync(cancellationToken);
        await UnfinishedRestore.ClearAsync(new ContentReader(last, access.Database), cancellationToken);
    }

    /// <summary>Verifies the file and loads it into an empty database.</summary>
    /// <exception cref="MigrationRefusedException">The message says why the copy is none.</exception>
    public async Task LoadCopyAsync(DatabaseAccess access, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken)
    {
        await VerifyAsync(progress, cancellationToken);
        await using (var connection = await access.OpenAsync(cancellationToken))
        {
            await CheckServerAsync(new ContentReader(connection, access.Database), cancellationToken);
        }

        await LoadAsync(access, progress, cancellationToken);
    }

    /// <summary>How the database differs from the snapshot, for people; empty if it does not.</summary>
    public async Task<IReadOnlyList<string>> CompareAsync(DatabaseAccess access, CancellationToken cancellationToken)
    {
        await using var connection = await access.OpenAsync(cancellationToken);
        var reader = new ContentReader(connection, access.Database);
        List<string> differences = [];
        var revisions = await reader.RevisionsAsync(cancellationToken);
        if (revisions is null != snapshot.Revisions is null
            || !(revisions ?? []).SequenceEqual(snapshot.Revisions ?? [], StringComparer.Ordinal))
        {
            differences.Add($"revision: {(snapshot with { Revisions = revisions }).RevisionText}, in the snapshot {snapshot.RevisionText}");
        }

        var content = await reader.ReadAsync(cancellationToken);
        if (content.CharacterSet != snapshot.Content.CharacterSet || content.Collation != snapshot.Content.Collation)
        {
            differences.Add($"default collation: {content.Collation}, in the snapshot {snapshot.Content.Collation}");
        }

        AddTableDifferences(differences, content);
        differences.AddRange(snapshot.Content.Others.Except(content.Others, StringComparer.Ordinal).Select(name => $"missing: {name}"));
        differences.AddRange(
            content.Others.Except(snapshot.Content.Others, StringComparer.Ordinal).Select(name => $"not in the snapshot: {name}"));
        differences.AddRange((snapshot.Content.Definitions ?? new Dictionary<string, string>())
            .Where(expected => content.Definitions!.TryGetValue(expected.Key, out var digest) && digest != expected.Value)
            .Select(expected => $"another definition: {expected.Key}"));
        return differences;
    }

    // Dropping a routine has taken away who may execute it.
    private async Task GrantAsync(DatabaseAccess access, CancellationToken cancellationToken)
    {
        if (snapshot.Content.Grants is not { Count: > 0 } grants)
        {
            return;
        }

        await using var connection = await access.OpenAsync(cancellationToken);
        foreach (var grant in grants)
        {
            try
            {
                await connection.ExecuteAsync(grant, cancellationToken);
            }
            catch (MySqlException exception)
                when (exception.ErrorCode is MySqlErrorCode.PasswordNoMatch or MySqlErrorCode.CannotCreateUserWithGrant or MySqlErrorCode.NonExistingGrant)
            {
                // Somebody has dropped the account since.
            }
        }
    }

    private void AddTableDifferences(List<string> differences, DatabaseContent content)
    {
        var present = content.Tables.ToDictionary(table => table.Name, StringComparer.Ordinal);
        foreach (var expected in snapshot.Content.Tables)
        {
            if (!present.Remove(expected.Name, out var table))
            {
                differences.Add($"missing: table {expected.Name} with {expected.Rows} rows");
            }
            else if (table.Rows != expected.Rows)
            {
                differences.Add($"table {table.Name}: {table.Rows} rows, in the snapshot {expected.Rows}");
            }
            else if (table.Structure != expected.Structure)
            {
                differences.Add($"table {table.Name}: other columns, keys or constraints");
            }
            else if (!table.HasValuesOf(expected))
            {
                differences.Add($"table {table.Name}: other values (CHECKSUM TABLE {table.Checksum}, in the snapshot {expected.Checksum})");
            }
        }

        differences.AddRange(present.Keys.Order(StringComparer.Ordinal).Select(name => $"not in the snapshot: table {name}"));
    }

    private async Task CheckServerAsync(ContentReader reader, CancellationToken cancellationToken)
    {
        var packet = await reader.MaximumPacketAsync(cancellationToken);
        if (snapshot.LongestStatement + 1024 > packet)
        {
            throw Untouched(
                $"the snapshot {snapshot.Name} has a statement of {snapshot.LongestStatement} bytes, and the server takes none longer "
                + $"than {packet}",
                "Raise the server's limit as root, then restore again: SET GLOBAL max_allowed_packet = "
                + $"{(snapshot.LongestStatement / (1024 * 1024) + 2) * 1024 * 1024};");
        }
    }

    // A killed runner leaves its loading client behind, which ends when it has worked off what it had read.
    private static async Task WaitForOtherAsync(ContentReader reader, DatabaseAccess access, CancellationToken cancellationToken)
    {
        await reader.ExecuteAsync($"SET SESSION lock_wait_timeout = {access.LockSeconds}", cancellationToken);
        var name = LockNameOf(access.Database);
        if (await reader.NumberAsync($"SELECT GET_LOCK('{name}', {access.LockSeconds})", cancellationToken) != 1)
        {
            var holder = await reader.NumberAsync($"SELECT IS_USED_LOCK('{name}')", cancellationToken);
            throw Untouched(
                $"another restore of this database has been running for more than {access.LockSeconds} s"
                + (holder is null ? "" : $" (connection {holder})"),
                $"Wait for it, or end it as root (KILL {holder?.ToString(CultureInfo.InvariantCulture) ?? "ID"}), then restore again.");
        }
    }

    private async Task EmptyAsync(MySqlConnection connection, DatabaseAccess access, CancellationToken cancellationToken)
    {
        try
        {
            await DatabaseObjects.DropAsync(connection, access.Database, cancellationToken);
            await connection.ExecuteAsync(
                $"ALTER DATABASE {MariaDBStatements.QuoteIdentifier(snapshot.Database)} CHARACTER SET {snapshot.Content.CharacterSet} "
                + $"COLLATE {snapshot.Content.Collation}",
                cancellationToken);
        }
        catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.LockWaitTimeout)
        {
            throw Partly(
                access,
                $"somebody else keeps a table of the database in use for more than {access.LockSeconds} s, so it could not be emptied");
        }
        catch (MySqlException exception)
        {
            throw Partly(access, $"the database could not be emptied: {exception.Message.TrimEnd('.')}");
        }
    }

    private async Task LoadAsync(DatabaseAccess access, IProgress<SnapshotProgress>? progress, CancellationToken cancellationToken)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        silence.CancelAfter(s_silenceLimit);
        var dump = new MeasuredDump(bytes => progress?.Report(new SnapshotProgress("Loading", bytes, snapshot.DumpBytes)));
        try
        {
            await new MariaDBProgram(access).RunAsync(
                "mariadb",
                // The statement that fails holds what users typed, which no log needs; older clients do not know the option.
                ["--batch", "--binary-mode", "--loose-print-query-on-error=0", $"--database={access.Database}"],
                (input, token) => FeedAsync(access, input, dump, silence, token),
                readOutput: null,
                silence.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Partly(access, $"MariaDB took nothing for {s_silenceLimit.TotalMinutes:0} minutes");
        }
        catch (MariaDBProgramException exception)
        {
            throw Partly(access, exception.Message.TrimEnd('.'));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw Partly(access, $"{snapshot.File} could not be read to its end ({exception.Message.TrimEnd('.')})");
        }
    }

    private async Task FeedAsync(
        DatabaseAccess access, Stream input, MeasuredDump dump, CancellationTokenSource silence, CancellationToken cancellationToken)
    {
        await using var file = Open();
        await using var decompressed = new GZipStream(file, CompressionMode.Decompress);
        await input.WriteAsync(Encoding.UTF8.GetBytes(Preamble(access)), cancellationToken);
        await dump.CopyAsync(decompressed, input, () => silence.CancelAfter(s_silenceLimit), cancellationToken);
    }

    private FileStream Open() => new(
        snapshot.File, FileMode.Open, FileAccess.Read, FileShare.Read, BufferLength, FileOptions.Asynchronous | FileOptions.SequentialScan);

    // The client holds the lock as long as it lives, even if this process does not. What a dump holds was valid where it
    // comes from: no check may refuse it here.
    private static string Preamble(DatabaseAccess access) => $"""
        DELIMITER //
        BEGIN NOT ATOMIC
          IF COALESCE(GET_LOCK('{LockNameOf(access.Database)}', {access.LockSeconds}), 0) <> 1 THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'another restore of this database is running';
          END IF;
        END//
        DELIMITER ;
        SET SESSION lock_wait_timeout = {access.LockSeconds}, check_constraint_checks = 0;

        """;

    /// <summary>The server's lock that whoever loads into a database holds.</summary>
    internal static string LockNameOf(string database) =>
        $"uvlhub_restore.{Names.Digest(database, 40)}";

    private MigrationRefusedException Damaged(string reason) => new(
        SnapshotStore.SnapshotDamaged,
        $"The snapshot {snapshot.Name} is damaged: {reason} ({snapshot.File}).",
        "The database was not touched by this. Choose another snapshot ('snapshots' lists them).");

    private static MigrationRefusedException Untouched(string problem, string remedy) => new(
        SnapshotStore.RestoreFailed, $"Nothing was restored and nothing was changed: {problem}.", remedy);

    private MigrationRefusedException Partly(DatabaseAccess access, string problem) => new(
        SnapshotStore.RestoreFailed,
        $"The restore of {snapshot.Name} did not end, and the database '{access.Database}' holds only a part of it: {problem}.",
        $"The snapshot itself is whole ({snapshot.File}). Put the cause right, then restore again: 'restore {snapshot.Name}'.");
}
