using System.Globalization;
using System.IO.Compression;
using System.Text;
using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// Dumps one database into a compressed stream and tells, from the same consistent view, what is in it. All readers see
/// one moment: a read lock on the tables is held until the dump's transaction and ours have both begun, which takes some
/// milliseconds, and then writers go on. Tables of engines without transactions must not change while the dump runs.
/// </summary>
internal sealed class SnapshotMaker(DatabaseAccess access)
{
    /// <summary>The last line of every snapshot, written when all before it has succeeded.</summary>
    public const string LastLine = "-- UvlhubRunner: snapshot completed";

    // The fastest level that fits its code to the data: level 1 leaves hexadecimal digits at 0.86 of their size, this one at
    // 0.54, and the higher ones win nothing more.
    private static readonly ZLibCompressionOptions s_compression = new() { CompressionLevel = 2 };

    // A program that writes nothing for so long is stuck, whatever the size of the database.
    private static readonly TimeSpan s_silenceLimit = TimeSpan.FromMinutes(3);

    /// <summary>What has been dumped.</summary>
    /// <param name="Bytes">The dump's bytes before compression.</param>
    /// <param name="LongestStatement">The dump's longest statement, in bytes.</param>
    public sealed record DumpResult(
        DatabaseContent Content, IReadOnlyList<string>? Revisions, string ServerVersion, long Bytes, long LongestStatement);

    /// <summary>What the maker knows before it dumps.</summary>
    /// <param name="EstimatedBytes">Roughly how many bytes the rows take.</param>
    public sealed record SnapshotEstimate(IReadOnlyList<string>? Revisions, long EstimatedBytes);

    /// <summary>Looks at the database, and refuses what a dump could not bring back.</summary>
    /// <exception cref="MigrationRefusedException">A dump of this database could not be loaded again.</exception>
    public async Task<SnapshotEstimate> EstimateAsync(CancellationToken cancellationToken)
    {
        await using var connection = await access.OpenAsync(cancellationToken);
        var reader = new ContentReader(connection, access.Database);
        if (await UnfinishedRestore.ReadAsync(reader, cancellationToken) is { } unfinished)
        {
            throw Refused(
                $"the database holds only a part of the snapshot {unfinished}, because restoring it was cut off",
                $"Restore it again: 'restore {unfinished}'.");
        }

        if (await reader.ForeignDefinersAsync(cancellationToken) is { Count: > 0 } foreign)
        {
            throw Refused(
                $"the user '{access.Parts.UserID}' could not bring back what belongs to another user: {string.Join(", ", foreign)}",
                "Run this as root, or make these objects belong to the application's user.");
        }

        if (await new ExactFloats(reader, connection).TablesWithoutKeyAsync(cancellationToken) is { Count: > 0 } tables)
        {
            throw Refused(
                "a dump would round FLOAT values, and these tables have no primary key (or one with a FLOAT in it) to write the exact "
                + $"ones back by, or have a history: {string.Join(", ", tables)}",
                "Give the table a primary key, or make the column a DOUBLE; of one with a history, the latter.");
        }

        return new SnapshotEstimate(await reader.RevisionsAsync(cancellationToken), await reader.EstimateBytesAsync(cancellationToken));
    }

    /// <summary>Dumps into a stream.</summary>
    /// <param name="target">Takes the compressed dump.</param>
    /// <param name="estimatedBytes">Roughly how many bytes there will be.</param>
    /// <param name="cancellationToken">Ends it, also inside the container.</param>
    /// <exception cref="MigrationRefusedException">The dump is not complete, or could not be loaded again.</exception>
    public async Task<DumpResult> DumpAsync(
        Stream target, IProgress<SnapshotProgress>? progress, long estimatedBytes, CancellationToken cancellationToken)
    {
        await using var view = await access.OpenAsync(cancellationToken);
        var reader = new ContentReader(view, access.Database);
        var packet = await reader.MaximumPacketAsync(cancellationToken);
        var version = view.ServerVersion;

        var locks = await access.OpenAsync(cancellationToken);
        await using (locks)
        {
            var tables = await LockAsync(new ContentReader(locks, access.Database), cancellationToken);
            var ignored = (await reader.OwnAsync(cancellationToken)).Select(table => $"--ignore-table={access.Database}.{table}").ToList();
            var unsafeTables = tables.Where(table => !table.IsTransactional).Select(table => table.Name).ToList();
            var before = await reader.ReadTablesAsync(unsafeTables, cancellationToken);
            await reader.ExecuteAsync("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", cancellationToken);
            await reader.ExecuteAsync("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", cancellationToken);

            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            silence.CancelAfter(s_silenceLimit);
            var dump = new MeasuredDump(bytes => progress?.Report(new SnapshotProgress("Dumping", bytes, Math.Max(bytes, estimatedBytes))));
            try
            {
                await using var compressed = new GZipStream(target, s_compression, leaveOpen: true);
                var dumping = DumpAsync([.. DumpArguments(tables, packet), .. ignored], dump, compressed, silence);
                await Task.WhenAny(dumping, dump.DataStarted);
                await locks.CloseAsync();
                var reading = ReadContentAsync(reader, silence.Token);
                try
                {
                    await dumping;
                }
                catch
                {
                    await silence.CancelAsync();
                    await reading.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                    throw;
                }

                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                var (content, revisions) = await reading;
                silence.CancelAfter(s_silenceLimit);
                await WriteRestAsync(reader, view, content, ignored, dump, compressed, silence);
                await ThrowIfChangedAsync(content, before, cancellationToken);
                ThrowIfTooLong(dump.LongestStatement, packet);
                return new DumpResult(content, revisions, version, dump.Length, dump.LongestStatement);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw Refused(
                    $"mariadb-dump wrote nothing for {s_silenceLimit.TotalMinutes:0} minutes",
                    "See what the server is busy with ('SHOW PROCESSLIST'), then start again.");
            }
            catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.TableDefinitionChanged)
            {
                throw TablesChanged();
            }
            catch (MariaDBProgramException exception)
            {
                throw Refused(exception.Message, "Put the cause right, then start again.");
            }
        }
    }

    private static async Task<(DatabaseContent Content, IReadOnlyList<string>? Revisions)> ReadContentAsync(
        ContentReader reader, CancellationToken cancellationToken) =>
        (await reader.ReadAsync(cancellationToken), await reader.RevisionsAsync(cancellationToken));

    private async Task<IReadOnlyList<(string Name, bool IsTransactional, bool IsVersioned)>> LockAsync(
        ContentReader locks, CancellationToken cancellationToken)
    {
        var tables = await locks.TablesAsync(cancellationToken);
        // Not those without transactions: a writer that waits for their lock makes every later reader wait for it, the dump
        // too, and so for us.
        var lockable = tables.Where(table => table.IsTransactional).ToList();
        if (lockable.Count > 0)
        {
            await locks.ExecuteAsync($"SET SESSION lock_wait_timeout = {access.LockSeconds}", cancellationToken);
            try
            {
                await locks.ExecuteAsync(
                    $"LOCK TABLES {string.Join(", ", lockable.Select(table => $"{locks.Qualified(table.Name)} READ"))}", cancellationToken);
            }
            catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.LockWaitTimeout)
            {
                throw Refused(
                    $"somebody else has been writing to the database for {access.LockSeconds} s without a commit "
                    + $"({await WritersAsync(cancellationToken)})",
                    "Stop the application, or close the database client that has an open transaction, then start again.");
            }
        }

        return tables;
    }

    private async Task<string> WritersAsync(CancellationToken cancellationToken)
    {
        await using var connection = await access.OpenAsync(cancellationToken);
        var others = await ServerConnection.OthersAsync(connection, access.Database, cancellationToken);
        return others.Count == 0
            ? "this user may not see who"
            : string.Join("; ", others.Take(5).Select(other => $"{other}, {other.Seconds} s"));
    }

    private async Task DumpAsync(IEnumerable<string> arguments, MeasuredDump dump, Stream compressed, CancellationTokenSource silence)
    {
        await new MariaDBProgram(access).RunAsync(
            "mariadb-dump",
            [.. arguments, "--", access.Database],
            writeInput: null,
            (output, token) => dump.CopyAsync(output, compressed, () => silence.CancelAfter(s_silenceLimit), token),
            silence.Token);
        if (!dump.LastLineStartsWith("-- Dump completed"u8))
        {
            throw new MariaDBProgramException("mariadb-dump ended without its last line '-- Dump completed', so the dump is not whole");
        }
    }

    // What a dump leaves out or must come after: exact numbers, then the triggers that those must not set off.
    private async Task WriteRestAsync(
        ContentReader reader, MySqlConnection view, DatabaseContent content, IEnumerable<string> ignored, MeasuredDump dump,
        Stream compressed, CancellationTokenSource silence)
    {
        async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken token)
        {
            silence.CancelAfter(s_silenceLimit);
            dump.Add(bytes.Span);
            await compressed.WriteAsync(bytes, token);
        }

        await new ExactFloats(reader, view).WriteAsync(WriteAsync, silence.Token);
        if (content.Others.Any(other => other.StartsWith("TRIGGER ", StringComparison.Ordinal)))
        {
            await WriteAsync("\n"u8.ToArray(), silence.Token);
            await DumpAsync(
                ["--no-create-info", "--no-data", "--triggers", "--skip-lock-tables", "--no-tablespaces", .. ignored], dump, compressed,
                silence);
        }

        await WriteAsync(Encoding.UTF8.GetBytes($"\n{LastLine}\n"), silence.Token);
    }

    private static IEnumerable<string> DumpArguments(
        IReadOnlyList<(string Name, bool IsTransactional, bool IsVersioned)> tables, long packet) =>
    [
        "--single-transaction", "--quick", "--skip-triggers", "--routines", "--events", "--hex-blob", "--skip-lock-tables",
        // Asks for the PROCESS privilege, and the table spaces of InnoDB need no statements.
        "--no-tablespaces",
        string.Create(CultureInfo.InvariantCulture, $"--net-buffer-length={Math.Min(1024 * 1024 - 2048, packet / 2)}"),
        .. tables.Any(table => table.IsVersioned) ? ["--dump-history"] : Array.Empty<string>(),
    ];

    // Names: a table that came or went while the dump ran is in one of the two and not in the other. Checksums: where no
    // transaction keeps the view, they were taken before, while, and now after the dump.
    private async Task ThrowIfChangedAsync(
        DatabaseContent content, IReadOnlyDictionary<string, TableContent> before, CancellationToken cancellationToken)
    {
        await using var connection = await access.OpenAsync(cancellationToken);
        var reader = new ContentReader(connection, access.Database);
        var tables = (await reader.TablesAsync(cancellationToken)).Select(table => table.Name);
        var others = await reader.OthersAsync(cancellationToken);
        if (!tables.SequenceEqual(content.Tables.Select(table => table.Name), StringComparer.Ordinal)
            || !others.SequenceEqual(content.Others, StringComparer.Ordinal))
        {
            throw TablesChanged();
        }

        var now = await reader.ReadTablesAsync(before.Keys, cancellationToken);
        var changed = content.Tables
            .Where(table => before.TryGetValue(table.Name, out var was)
                && !(table.HasValuesOf(was) && now[table.Name].HasValuesOf(was)))
            .Select(table => table.Name).ToList();
        if (changed.Count > 0)
        {
            throw Refused(
                $"somebody else wrote to {string.Join(", ", changed)} while the snapshot was made, and the engine of that table gives no "
                + "consistent view",
                "Stop the application, then start again; or give the table the engine InnoDB.");
        }
    }

    private static void ThrowIfTooLong(long statement, long packet)
    {
        // The protocol's own bytes come on top.
        if (statement + 1024 > packet)
        {
            var wanted = (statement / (1024 * 1024) + 2) * 1024 * 1024;
            throw Refused(
                $"a row takes {statement} bytes in the dump, and the server takes no statement longer than {packet} (max_allowed_packet), "
                + "so the snapshot could not be restored",
                $"Raise the server's limit as root, then start again: SET GLOBAL max_allowed_packet = {wanted};");
        }
    }

    private static MigrationRefusedException TablesChanged() => Refused(
        "somebody else created or dropped tables while the snapshot was made",
        "Stop the application and any other migration, then start again.");

    private static MigrationRefusedException Refused(string problem, string remedy) => new(
        SnapshotStore.SnapshotFailed, $"No snapshot was made, so nothing was changed: {problem}.", remedy);
}
