namespace UvlhubAspire.Runner.Revisions;

/// <summary>What one revision file of Alembic says of itself.</summary>
/// <param name="Id">The file's <c>revision</c>.</param>
/// <param name="Parents">The file's <c>down_revision</c>; empty for a base, several for a merge.</param>
/// <param name="ParentsLine">Where they are set, counted from 1.</param>
/// <param name="Message">The first paragraph of the file's docstring, as <c>flask db history</c> shows it.</param>
/// <param name="BranchLabels">The file's <c>branch_labels</c>.</param>
/// <param name="DependsOn">The file's <c>depends_on</c>: identifiers or branch labels of revisions that must have run before.</param>
internal sealed record Revision(
    string Id,
    IReadOnlyList<string> Parents,
    int? ParentsLine,
    string Message,
    IReadOnlyList<string> BranchLabels,
    IReadOnlyList<string> DependsOn)
{
    public string File { get; init; } = "";

    /// <summary>The revisions of a database as people are told of them.</summary>
    public static string List(IReadOnlyList<string>? ids, string none = "none") => ids is { Count: > 0 } ? string.Join(", ", ids) : none;

    /// <summary>The revision as people are told of it: with the first line of its message, if it has one.</summary>
    public override string ToString() =>
        // Without a message the template's first paragraph is the list of identifiers.
        Message.Length == 0 || Message.StartsWith("Revision ID:", StringComparison.Ordinal) ? Id : $"{Id} ({Message.Split('\n')[0]})";
}
