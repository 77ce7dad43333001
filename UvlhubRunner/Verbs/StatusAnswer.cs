using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Verbs;

/// <summary>What <c>status --json</c> prints. Scripts rely on the names.</summary>
internal sealed record StatusAnswer
{
    /// <summary>The state's name.</summary>
    public required string State { get; init; }

    /// <summary>The state, in words.</summary>
    public required string Explanation { get; init; }

    /// <summary>Whether <c>migrate</c> would refuse.</summary>
    public required bool WouldRefuse { get; init; }

    /// <summary>What to do where it would refuse.</summary>
    public required string? Remedy { get; init; }

    /// <summary>What <c>migrate</c> would do.</summary>
    public required IReadOnlyList<string> Steps { get; init; }

    /// <summary>The database's name.</summary>
    public required string Database { get; init; }

    /// <summary>Host and port.</summary>
    public required string Server { get; init; }

    /// <summary>What the server calls itself.</summary>
    public required string ServerVersion { get; init; }

    /// <summary>The tables.</summary>
    public required IReadOnlyList<string> Tables { get; init; }

    /// <summary>The database's revisions.</summary>
    public required IReadOnlyList<string> Current { get; init; }

    /// <summary>The checkout's folder.</summary>
    public required string Checkout { get; init; }

    /// <summary>The checkout's newest revision; <see langword="null"/> if its history is no graph with one head.</summary>
    public required string? Head { get; init; }

    /// <summary>The revisions that an upgrade would run, in order.</summary>
    public required IReadOnlyList<string> Pending { get; init; }

    /// <summary>Who migrates at this moment.</summary>
    public required string? LockHolder { get; init; }

    /// <summary>Where the snapshots lie.</summary>
    public required string SnapshotFolder { get; init; }

    /// <summary>The snapshots, the newest first.</summary>
    public required IReadOnlyList<StatusSnapshot> Snapshots { get; init; }

    /// <summary>The latest runs, the newest first.</summary>
    public required IReadOnlyList<StatusRun> Runs { get; init; }
}

/// <summary>A snapshot in <see cref="StatusAnswer"/>.</summary>
internal sealed record StatusSnapshot(
    string Name, IReadOnlyList<string>? Revisions, DateTimeOffset Created, string? Reason, long Rows, long Bytes)
{
    /// <summary>What the answer says of a snapshot.</summary>
    public static StatusSnapshot Of(Snapshot snapshot) => new(
        snapshot.Name, snapshot.Revisions, snapshot.Created, snapshot.Reason, snapshot.Content.Tables.Sum(table => table.Rows),
        snapshot.Bytes);
}

/// <summary>A run in <see cref="StatusAnswer"/>.</summary>
internal sealed record StatusRun(
    string Verb,
    string From,
    string To,
    DateTimeOffset Started,
    DateTimeOffset? Ended,
    double? Seconds,
    string Phase,
    string? Result,
    string? Snapshot,
    string? Cause)
{
    /// <summary>What the answer says of a run.</summary>
    public static StatusRun Of(MigrationRun run) => new(
        run.Verb, run.From, run.To, run.Started, run.Ended, run.Duration?.TotalSeconds, run.Phase.ToString(), run.Result, run.Snapshot,
        run.Cause);
}

/// <summary>How <see cref="StatusAnswer"/> is written.</summary>
[JsonSerializable(typeof(StatusAnswer))]
internal sealed partial class StatusJson : JsonSerializerContext
{
    /// <summary>For people too: indented, and with every letter as it is.</summary>
    public static StatusJson Readable { get; } = new(new JsonSerializerOptions
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
