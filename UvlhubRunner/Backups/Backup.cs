using System.Text.Json.Serialization;
using UvlhubAspire.Runner.Snapshots;

namespace UvlhubAspire.Runner.Backups;

/// <summary>A backup as restic lists it; what makes it one of ours is in its tags.</summary>
/// <param name="Id">Its name in the repository.</param>
/// <param name="ShortId">The beginning of that, which is enough for people.</param>
/// <param name="Time">When it was made.</param>
/// <param name="Hostname">The site that it is of.</param>
/// <param name="Paths">What is in it.</param>
/// <param name="Tags">Words, each <c>KEY=VALUE</c>.</param>
/// <param name="Summary">What was counted.</param>
internal sealed record Backup(
    string Id, string ShortId, DateTimeOffset Time, string Hostname, IReadOnlyList<string> Paths, IReadOnlyList<string>? Tags,
    BackupSummary? Summary)
{
    private const string SeriesTag = "series";
    private const string SnapshotTag = "snapshot";
    private const string RowsTag = "rows";

    /// <summary>The tags of a backup, as restic takes them.</summary>
    public static string TagsOf(string series, Snapshot snapshot) =>
        $"{TagOf(series)},{SnapshotTag}={snapshot.Name},{RowsTag}={snapshot.Content.Rows}";

    /// <summary>The tag of all backups of a series.</summary>
    public static string TagOf(string series) => $"{SeriesTag}={series}";

    /// <summary>The series that it belongs to: see <see cref="BackupSeries"/>.</summary>
    [JsonIgnore]
    public string? Series => Tag(SeriesTag);

    /// <summary>The snapshot with the rows; <see langword="null"/> for what somebody else has put into the repository.</summary>
    [JsonIgnore]
    public string? Snapshot => Tag(SnapshotTag);

    /// <summary>How many rows there are in it.</summary>
    [JsonIgnore]
    public string? Rows => Tag(RowsTag);

    /// <summary>The folder of the uploads; <see langword="null"/> if there were none.</summary>
    [JsonIgnore]
    public string? Uploads => Paths.FirstOrDefault(path => !SnapshotStore.FilesOf(Snapshot ?? "").Contains(Path.GetFileName(path)));

    private string? Tag(string key) =>
        Tags?.FirstOrDefault(tag => tag.StartsWith($"{key}=", StringComparison.Ordinal))?[(key.Length + 1)..];
}

/// <summary>What restic has counted.</summary>
/// <param name="TotalBytesProcessed">How much there is in the backup.</param>
internal sealed record BackupSummary(long TotalBytesProcessed);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IReadOnlyList<Backup>))]
internal sealed partial class BackupJson : JsonSerializerContext;
