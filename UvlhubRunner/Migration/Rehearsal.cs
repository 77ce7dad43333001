using System.Globalization;
using System.Security.Cryptography;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Revisions;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Migration;

/// <summary>
/// Runs the pending revisions on a copy first: the snapshot in a scratch database, under an account that may touch nothing
/// else. Only what has passed there runs on the database itself; what fails there has changed nothing.
/// </summary>
internal sealed partial class Rehearsal(
    RunnerSettings settings, UvlhubDatabase database, MigrationJournal journal, FlaskCommands flask, SnapshotKeeper snapshots,
    TimeProvider time, ILogger<Rehearsal> logger)
{
    private const string HowToSkip = $"Or migrate without a rehearsal: --{UvlhubOptions.Section}:Migrator:Rehearse=never.";

    private const long Reserve = 64L * 1024 * 1024;

    private static readonly TimeSpan s_engineLimit = TimeSpan.FromSeconds(30);

    /// <summary>Whether revisions are rehearsed before they run.</summary>
    /// <param name="isAdditive">Whether they only add to the schema.</param>
    public bool IsDue(bool isAdditive)
    {
        var isDue = settings.Options.Migrator.Rehearse switch
        {
            RehearsalPolicy.Always => true,
            RehearsalPolicy.Never => false,
            _ => !settings.IsDevelopment || !isAdditive,
        };
        if (isDue && Impossible is { } why)
        {
            LogImpossible(why);
        }

        return isDue && Impossible is null;
    }

    /// <summary>Why there cannot be a copy to rehearse on; <see langword="null"/> if there can.</summary>
    public string? Impossible => settings.HasOneAccount
        ? $"{settings.Address} gives '{settings.Root.UserID}' one database and no second one for a copy"
        : null;

    /// <summary>Rehearses, unless these revisions have passed on this very snapshot.</summary>
    /// <param name="report">
    /// Takes what each revision does to the rows, as soon as that is known. It is then done in any case, and one revision
    /// after the other. Default: nobody asks.
    /// </param>
    /// <exception cref="MigrationFailedException">A revision fails on the copy; the message has its error.</exception>
    /// <exception cref="MigrationRefusedException">There cannot be a copy; the message names the setting that does without.</exception>
    public async Task RunAsync(
        MySqlConnection root, RevisionGraph graph, IReadOnlyList<Revision> pending, Snapshot snapshot, Func<string, Task>? report,
        CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("rehearse")?.SetTag("uvlhub.snapshot", snapshot.Name);
        var digest = await DigestAsync(pending, snapshot, cancellationToken);
        if (report is null && await journal.HasPassedAsync(root, digest, cancellationToken))
        {
            LogPassedBefore(pending.Count, snapshot.Name);
            return;
        }

        await CheckRoomAsync(root, cancellationToken);
        var started = time.GetTimestamp();
        LogBegins(pending.Count, snapshot.Name, snapshot.DumpBytes / 1024.0 / 1024.0);
        try
        {
            await using var copy = await ScratchDatabase.CreateAsync(root, "rehearsal", database.Name, cancellationToken);
            await snapshots.LoadAsync(snapshot, copy.Name, cancellationToken);
            var loaded = time.GetElapsedTime(started);
            await DropEventsAsync(root, copy, cancellationToken);
            if (report is null)
            {
                await flask.UpgradeAsync(graph, pending, cancellationToken, copy.Environment);
            }
            else
            {
                await UpgradeOneByOneAsync(root, graph, pending, copy, report, cancellationToken);
            }

            var reached = await root.TextsAsync(
                $"SELECT version_num FROM {MariaDBStatements.QuoteIdentifier(copy.Name)}.{UvlhubDatabase.VersionTable}", cancellationToken);
            if (reached is not [var revision] || revision != graph.Head.Id)
            {
                throw new FlaskException(
                    $"'flask db upgrade' ended without an error, but the copy is at {Revision.List(reached, "no revision")} and not at the "
                    + $"checkout's head {graph.Head.Id}",
                    isTransient: false);
            }

            await journal.PassedAsync(root, digest, cancellationToken);
            LogPassed(time.GetElapsedTime(started).TotalSeconds, loaded.TotalSeconds);
        }
        catch (FlaskException failure) when (!failure.IsTransient)
        {
            throw new MigrationFailedException(
                ExitCode.Failed,
                $"Rehearsed on a copy of {database.Name}: {failure.Message}{Environment.NewLine}{database.Name} itself was not touched.",
                failure);
        }
        catch (MigrationRefusedException refusal)
        {
            throw Refused($"{refusal.Problem.TrimEnd('.')}. {refusal.Remedy}");
        }
    }

    // Counted before and after each one: what a statement has touched, the server tells nobody but whoever has run it.
    private async Task UpgradeOneByOneAsync(
        MySqlConnection root, RevisionGraph graph, IReadOnlyList<Revision> pending, ScratchDatabase copy, Func<string, Task> report,
        CancellationToken cancellationToken)
    {
        var reader = new ContentReader(root, copy.Name);
        var before = await ReadAsync();
        foreach (var revision in pending)
        {
            var started = time.GetTimestamp();
            await flask.UpgradeAsync(graph, pending, cancellationToken, copy.Environment, revision.Id);
            var took = time.GetElapsedTime(started);
            var after = await ReadAsync();
            var changes = RowChanges.Between(before, after);
            await report(string.Create(
                CultureInfo.InvariantCulture,
                $"{revision}: {(changes.Count == 0 ? "no row is another one" : string.Join("; ", changes))} ({took.TotalSeconds:0.0} s)"));
            before = after;
        }

        async Task<IReadOnlyDictionary<string, TableContent>> ReadAsync() => await reader.ReadTablesAsync(
            (await reader.TablesAsync(cancellationToken)).Select(table => table.Name).Where(name => name != UvlhubDatabase.VersionTable),
            cancellationToken);
    }

    // The copy is loaded into the same server, and one whose disk fills up may crash.
    private async Task CheckRoomAsync(MySqlConnection root, CancellationToken cancellationToken)
    {
        if (settings.DatabaseContainer is not { } container)
        {
            return;
        }

        var needed = Reserve + (await root.NumberAsync(
            "SELECT SUM(DATA_LENGTH + INDEX_LENGTH) FROM information_schema.TABLES WHERE TABLE_SCHEMA = @database", cancellationToken,
            ("@database", database.Name)) ?? 0) * 5 / 4;
        var folder = (await root.TextsAsync("SELECT @@datadir", cancellationToken))[0];
        var answer = await settings.Engine.RunAsync(s_engineLimit, cancellationToken, "exec", container, "df", "-Pk", folder);
        // 'Filesystem 1024-blocks Used Available Capacity Mounted on'
        var words = answer.Output.TrimEnd().Split('\n')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (answer.Succeeded && words is [_, _, _, var kilobytes, ..]
            && long.TryParse(kilobytes, CultureInfo.InvariantCulture, out var available) && available * 1024 < needed)
        {
            throw Refused(string.Create(
                CultureInfo.InvariantCulture,
                $"{folder} in {container} has {available / 1024.0:0} MB free, and a copy of the database may take "
                + $"{needed / 1048576.0:0} MB. Make room there."));
        }
    }

    // An event of the copy's would run like any other, and may name the database that it was written for.
    private static async Task DropEventsAsync(MySqlConnection root, ScratchDatabase copy, CancellationToken cancellationToken)
    {
        foreach (var name in await root.TextsAsync(
            "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = @copy", cancellationToken, ("@copy", copy.Name)))
        {
            await root.ExecuteAsync(
                $"DROP EVENT {MariaDBStatements.QuoteIdentifier(copy.Name)}.{MariaDBStatements.QuoteIdentifier(name)}", cancellationToken);
        }
    }

    // What has to be the same for a rehearsal to hold: the rows, and what the revisions do.
    private async Task<string> DigestAsync(IReadOnlyList<Revision> pending, Snapshot snapshot, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Convert.FromHexString(snapshot.Sha256));
        foreach (var file in pending.Select(revision => revision.File)
            .Append(Path.Combine(Path.GetDirectoryName(settings.Checkout.RevisionsDirectory)!, "env.py")).Where(File.Exists))
        {
            hash.AppendData(SHA256.HashData(await File.ReadAllBytesAsync(file, cancellationToken)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static MigrationRefusedException Refused(string problem) => new(
        "no-rehearsal", $"The revisions cannot be rehearsed on a copy, so nothing was changed: {problem}", HowToSkip);

    [LoggerMessage(EventId = 433, Level = LogLevel.Warning, Message = "The revisions are not rehearsed: {Why}. If one fails, the snapshot "
        + "is restored")]
    private partial void LogImpossible(string why);

    [LoggerMessage(EventId = 430, Level = LogLevel.Information, Message = "Rehearsing {Count} revisions on a copy (the snapshot "
        + "{Snapshot}, {Megabytes:0.0} MB of SQL)")]
    private partial void LogBegins(int count, string snapshot, double megabytes);

    [LoggerMessage(EventId = 431, Level = LogLevel.Information, Message = "The rehearsal passed in {Seconds:0.0} s; the copy took "
        + "{LoadSeconds:0.0} s of them")]
    private partial void LogPassed(double seconds, double loadSeconds);

    [LoggerMessage(EventId = 432, Level = LogLevel.Information, Message = "The {Count} revisions have passed a rehearsal on the snapshot "
        + "{Snapshot} before")]
    private partial void LogPassedBefore(int count, string snapshot);
}
