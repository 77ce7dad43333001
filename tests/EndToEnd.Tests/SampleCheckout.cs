using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A copy of the bundled sample, or of another checkout; it is gone after the test. What a shared fixture runs is edited by the tests of
/// <see cref="EditedGroup"/> alone.
/// </summary>
public sealed class SampleCheckout : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-e2e-");

    /// <summary>Makes a copy.</summary>
    /// <param name="name">The folder's name. Default: one that is unique, so that its database is too.</param>
    /// <param name="from">What is copied. Default: the bundled sample.</param>
    public SampleCheckout(string? name = null, string? from = null)
    {
        Path = System.IO.Path.Combine(_folder.FullName, name ?? $"minihub-{Guid.NewGuid().ToString("n")[..8]}");
        Copy(new DirectoryInfo(from ?? RepositoryFolder.BundledSample), new DirectoryInfo(Path));
    }

    /// <summary>The copy's folder.</summary>
    public string Path { get; }

    /// <summary>The path of a file in the copy.</summary>
    public string File(string relative) => System.IO.Path.Combine(Path, relative);

    /// <summary>Gives a module a page of its own, as a developer writes one.</summary>
    /// <param name="module">The module.</param>
    /// <param name="path">The page's path.</param>
    /// <param name="body">The lines of its function.</param>
    public Task AddPageAsync(string module, string path, params string[] body) => System.IO.File.AppendAllTextAsync(
        File($"app/modules/{module}/routes.py"),
        $"\n\n@blueprint.get(\"/{path}\")\ndef {path.Replace('-', '_')}():\n{string.Concat(body.Select(line => $"    {line}\n"))}",
        TestContext.Current.CancellationToken);

    /// <summary>A revision that only adds: the code before it does not notice.</summary>
    /// <param name="revision">Its name.</param>
    /// <param name="after">The one before it.</param>
    public static string RevisionWithViews(string revision, string after) => $"""
        import sqlalchemy as sa
        from alembic import op

        revision = "{revision}"
        down_revision = "{after}"

        def upgrade():
            op.add_column("feature_model", sa.Column("views", sa.Integer(), nullable=False, server_default="0"))

        def downgrade():
            op.drop_column("feature_model", "views")

        """;

    public void Dispose() => _folder.Delete(recursive: true);

    private static void Copy(DirectoryInfo source, DirectoryInfo target)
    {
        target.Create();
        foreach (var file in source.EnumerateFiles())
        {
            file.CopyTo(System.IO.Path.Combine(target.FullName, file.Name));
        }

        foreach (var folder in source.EnumerateDirectories().Where(folder => folder.Name is not ("__pycache__" or ".pytest_cache")))
        {
            Copy(folder, target.CreateSubdirectory(folder.Name));
        }
    }
}
