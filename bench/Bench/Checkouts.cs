using System.Globalization;
using System.Text.RegularExpressions;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.Bench;

/// <summary>Copies of the checkout, which the measurements may edit. They go at the end.</summary>
/// <param name="source">The checkout.</param>
internal sealed partial class Checkouts(string source) : IDisposable
{
    private static readonly string[] s_leftOut = [".git", "__pycache__", ".pytest_cache", "node_modules", "uploads"];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-bench-");

    /// <summary>Makes a copy for one side.</summary>
    /// <param name="name">The folder's name.</param>
    /// <param name="revisions">How many revisions its history shall have at least; more are written after its head.</param>
    public UvlhubCheckout Copy(string name, int revisions = 0)
    {
        var target = Directory.CreateDirectory(Path.Combine(_folder.FullName, name, Path.GetFileName(source.TrimEnd('/'))));
        Copy(new DirectoryInfo(source), target);
        // The tutorial's first step; compose needs the file, and both sides read the same one.
        var env = Path.Combine(target.FullName, ".env");
        if (!File.Exists(env))
        {
            File.Copy(Path.Combine(target.FullName, ".env.docker.example"), env);
        }

        var checkout = UvlhubCheckout.Read(target.FullName);
        AddRevisions(checkout, revisions);
        return checkout;
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    private static void Copy(DirectoryInfo from, DirectoryInfo to)
    {
        foreach (var file in from.EnumerateFiles())
        {
            file.CopyTo(Path.Combine(to.FullName, file.Name));
        }

        foreach (var folder in from.EnumerateDirectories().Where(folder => !s_leftOut.Contains(folder.Name)))
        {
            Copy(folder, to.CreateSubdirectory(folder.Name));
        }
    }

    private static void AddRevisions(UvlhubCheckout checkout, int revisions)
    {
        var files = Directory.GetFiles(checkout.RevisionsDirectory, "*.py").Select(File.ReadAllText).ToList();
        if (files.Count >= revisions)
        {
            return;
        }

        var head = files.SelectMany(text => Revision().Matches(text).Select(match => match.Groups[1].Value))
            .Except(files.SelectMany(text => DownRevision().Matches(text).Select(match => match.Groups[1].Value)))
            .Single();
        for (var number = files.Count + 1; number <= revisions; number++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"bench{number:00000}");
            // Every tenth one makes a table; the others cost what any revision costs.
            var statement = number % 10 == 0
                ? $"op.create_table('{id}', sa.Column('id', sa.Integer, primary_key=True))"
                : "op.execute('DO 0')";
            File.WriteAllText(
                Path.Combine(checkout.RevisionsDirectory, $"{id}.py"),
                $"""
                import sqlalchemy as sa
                from alembic import op

                revision = '{id}'
                down_revision = '{head}'
                branch_labels = None
                depends_on = None


                def upgrade():
                    {statement}


                def downgrade():
                    pass

                """);
            head = id;
        }
    }

    [GeneratedRegex("""^revision(?:\s*:\s*str)?\s*=\s*['"]([^'"]+)['"]""", RegexOptions.Multiline)]
    private static partial Regex Revision();

    [GeneratedRegex("""^down_revision[^=\n]*=\s*['"]([^'"]+)['"]""", RegexOptions.Multiline)]
    private static partial Regex DownRevision();
}
