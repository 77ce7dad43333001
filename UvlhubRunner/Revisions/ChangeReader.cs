using System.Text.Json;
using System.Text.Json.Serialization;
using UvlhubAspire.Runner.Flask;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>One thing that a revision does to the schema, as it stands in its file.</summary>
/// <param name="Line">Where, counted from 1.</param>
/// <param name="Kind">What; see check_revisions.py.</param>
/// <param name="Table">The table's name; <see langword="null"/> where the file does not write it down.</param>
/// <param name="Columns">The columns' names, as far as they are written down.</param>
/// <param name="Detail">The new type, the index's name, or the statement.</param>
internal sealed record SchemaChange(int Line, string Kind, string? Table, IReadOnlyList<string> Columns, string? Detail)
{
    [JsonIgnore]
    public string File { get; init; } = "";

    /// <summary>Whether it takes nothing away and refuses no row.</summary>
    public bool IsAdditive => Kind == "add";
}

/// <summary>Reads what revisions do to the schema, without running them: Python's own <c>ast</c>, where flask runs.</summary>
internal sealed class ChangeReader(RunnerSettings settings, Toolbox toolbox)
{
    private readonly RevisionScript _script = new(settings, toolbox, "check_revisions.py");

    /// <returns>The changes, in the order in which they stand in the files.</returns>
    public async Task<IReadOnlyList<SchemaChange>> ReadAsync(IReadOnlyList<Revision> revisions, CancellationToken cancellationToken)
    {
        var files = revisions.Select(revision => revision.File).ToList();
        var answer = await _script.RunAsync(files, "what is changed by", cancellationToken);
        return [.. JsonSerializer.Deserialize(answer, ChangesJson.Default.IReadOnlyListIReadOnlyListSchemaChange)!
            .Zip(files, (changes, file) => changes.OrderBy(change => change.Line).Select(change => change with { File = file }))
            .SelectMany(changes => changes)];
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<IReadOnlyList<SchemaChange>>))]
internal sealed partial class ChangesJson : JsonSerializerContext;
