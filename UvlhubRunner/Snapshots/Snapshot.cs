using System.Text.Json;
using System.Text.Json.Serialization;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// What is known of a snapshot without opening it: the file <c>NAME.json</c> beside <c>NAME.sql.gz</c>. What it says of
/// the tables was read in the same consistent view as the dump.
/// </summary>
internal sealed record Snapshot
{
    /// <summary>The snapshot's name: its time and revision, <c>2026-11-24T21-55-03Z_001</c>.</summary>
    public required string Name { get; init; }

    public required string Database { get; init; }

    /// <summary>The rows of <c>alembic_version</c>; empty if there are none, <see langword="null"/> if there is no such table.</summary>
    public required IReadOnlyList<string>? Revisions { get; init; }

    /// <summary>When the snapshot was begun, in UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The checkout's folder; <see langword="null"/> if the maker named none.</summary>
    public string? Checkout { get; init; }

    public string? Reason { get; init; }

    /// <summary>
    /// Which one it is, counted over all of the folder; one that is used again becomes the newest. The clock may be put
    /// right meanwhile. Default: zero, of snapshots made before there were numbers.
    /// </summary>
    public long Number { get; init; }

    public required string ServerVersion { get; init; }

    /// <summary>The SHA-256 of the compressed file, hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The compressed file's bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>The dump's bytes before compression.</summary>
    public required long DumpBytes { get; init; }

    /// <summary>The longest statement in the dump, in bytes: what the server's <c>max_allowed_packet</c> must allow.</summary>
    public required long LongestStatement { get; init; }

    /// <summary>Everything else that a restored database is compared with.</summary>
    public required DatabaseContent Content { get; init; }

    /// <summary>The compressed dump's full path.</summary>
    [JsonIgnore]
    public string File { get; init; } = "";

    /// <summary>What it is for, by its reason.</summary>
    [JsonIgnore]
    public SnapshotClass Class => SnapshotReason.ClassOf(Reason);

    [JsonIgnore]
    public string RevisionText => Revisions is null ? $"no {UvlhubDatabase.VersionTable} table" : Revision.List(Revisions, "no revision");
}

/// <summary>The content of a database in figures, to compare two states of it.</summary>
/// <param name="Tables">Tables, in the order of their names.</param>
/// <param name="Others">Views, sequences, triggers, routines and events, as <c>VIEW name</c>, in order.</param>
/// <param name="Definitions">
/// A digest of what each of the others does, or of what a sequence gives next; <see langword="null"/> in snapshots that were
/// made when names alone were compared.
/// </param>
/// <param name="Grants">
/// The rights on single routines, which go with these, as statements; <see langword="null"/> where they may not be read.
/// </param>
internal sealed record DatabaseContent(
    string CharacterSet,
    string Collation,
    IReadOnlyList<TableContent> Tables,
    IReadOnlyList<string> Others,
    IReadOnlyDictionary<string, string>? Definitions = null,
    IReadOnlyList<string>? Grants = null)
{
    [JsonIgnore]
    public long Rows => Tables.Sum(table => table.Rows);
}

/// <summary>One table's content in figures.</summary>
/// <param name="Rows">How many rows it has, counted.</param>
/// <param name="Checksum">The value of <c>CHECKSUM TABLE</c>; <see langword="null"/> where the server gives none.</param>
/// <param name="Structure">The SHA-256 of the table's columns, keys and constraints, hexadecimal.</param>
/// <param name="Sum">
/// What is compared instead of the checksum, which depends on more than the data where a table has generated columns: a sum
/// over the columns that are stored as they are given. <see langword="null"/> for other tables.
/// </param>
internal sealed record TableContent(string Name, long Rows, long? Checksum, string Structure, string? Sum = null)
{
    /// <summary>Whether the rows have the values of another one.</summary>
    public bool HasValuesOf(TableContent other) =>
        Sum is not null && other.Sum is not null ? Sum == other.Sum : Checksum == other.Checksum;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(Snapshot))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
