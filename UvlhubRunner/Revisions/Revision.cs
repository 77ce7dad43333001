namespace UvlhubAspire.Runner.Revisions;

/// <summary>One revision file of Alembic, as far as it can be known without running it.</summary>
/// <param name="Id">The file's <c>revision</c>.</param>
/// <param name="Parents">The file's <c>down_revision</c>; empty for a base, several for a merge.</param>
/// <param name="File">The file's full path.</param>
/// <param name="Message">The first paragraph of the file's docstring; <see langword="null"/> if it says nothing.</param>
/// <param name="BranchLabels">The file's <c>branch_labels</c>.</param>
/// <param name="DependsOn">The file's <c>depends_on</c>: identifiers or branch labels of revisions that must have run before.</param>
internal sealed record Revision(
    string Id,
    IReadOnlyList<string> Parents,
    string File,
    string? Message,
    IReadOnlyList<string> BranchLabels,
    IReadOnlyList<string> DependsOn);
