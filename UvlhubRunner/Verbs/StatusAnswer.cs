using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Verbs;

/// <summary>What <c>status --json</c> prints. Scripts rely on the names.</summary>
/// <param name="Server">Host and port.</param>
/// <param name="Current">The database's revisions.</param>
/// <param name="Head">The checkout's newest revision; <see langword="null"/> if its history is no graph with one head.</param>
/// <param name="Pending">The revisions that an upgrade would run, in order.</param>
/// <param name="Snapshots">The snapshots, the newest first.</param>
/// <param name="Runs">The latest runs, the newest first.</param>
internal sealed record StatusAnswer(
    string State,
    string Explanation,
    bool WouldRefuse,
    string? Remedy,
    IReadOnlyList<string> Steps,
    string Database,
    string Server,
    string ServerVersion,
    IReadOnlyList<string> Tables,
    IReadOnlyList<string> Current,
    string Checkout,
    string? Head,
    IReadOnlyList<string> Pending,
    string? LockHolder,
    string SnapshotFolder,
    IReadOnlyList<StatusSnapshot> Snapshots,
    IReadOnlyList<StatusRun> Runs);

internal sealed record StatusSnapshot(
    string Name, IReadOnlyList<string>? Revisions, DateTimeOffset Created, string Class, string? Reason, long Rows, long Bytes)
{
    public static StatusSnapshot Of(Snapshot snapshot) => new(
        snapshot.Name, snapshot.Revisions, snapshot.Created, SnapshotReason.Describe(snapshot.Class), snapshot.Reason,
        snapshot.Content.Rows, snapshot.Bytes);
}

internal sealed record StatusRun(
    string Verb, string From, string To, DateTimeOffset Started, DateTimeOffset? Ended, double? Seconds, string Phase, string? Result,
    string? Snapshot, string? Cause)
{
    public static StatusRun Of(MigrationRun run) => new(
        run.Verb, run.From, run.To, run.Started, run.Ended, run.Duration?.TotalSeconds, run.Phase.ToString(), run.Result, run.Snapshot,
        run.Cause);
}

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
