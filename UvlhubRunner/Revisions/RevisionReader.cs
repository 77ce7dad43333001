using System.Text;
using System.Text.RegularExpressions;
using UvlhubAspire.Runner.Database;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// Finds and reads revision files as Alembic does
/// (https://github.com/sqlalchemy/alembic/blob/main/alembic/script/base.py, <c>_list_py_dir</c> and <c>_from_path</c>):
/// the <c>.py</c> files of the folder itself, except editors' lock files and <c>__init__</c>.
/// </summary>
/// <param name="folder">The checkout's <c>migrations/versions</c>.</param>
/// <param name="askAlembic">Reads, with Python, the files that are not as Alembic's template writes them; in their order.</param>
internal sealed partial class RevisionReader(
    string folder, Func<IReadOnlyList<string>, CancellationToken, Task<IReadOnlyList<Revision>>> askAlembic)
{
    /// <summary>Reads all revision files, in the order of their names.</summary>
    /// <exception cref="MigrationRefusedException">
    /// The folder is missing, a file cannot be read, or the files form no history (a cycle, a missing parent, a duplicate).
    /// The message names file, line and reason.
    /// </exception>
    /// <exception cref="MigrationFailedException">Alembic has to be asked and cannot be.</exception>
    public async Task<RevisionGraph> ReadAsync(CancellationToken cancellationToken)
    {
        ThrowIfElsewhere();
        var read = Files().Select(file => (file, revision: ReadTemplate(file))).ToList();
        var others = read.Where(item => item.revision is null).Select(item => item.file).ToList();
        var asked = others.Count == 0 ? [] : await askAlembic(others, cancellationToken);
        return new RevisionGraph(
            folder,
            [.. read.Select(item => item.revision).OfType<Revision>().Concat(asked).OrderBy(found => found.File, StringComparer.Ordinal)]);
    }

    /// <summary>The refusal of one file.</summary>
    /// <param name="reason">What is wrong with it, without a full stop.</param>
    /// <param name="remedy">What the user does next. Default: to mend the file or take it from Git.</param>
    public static MigrationRefusedException Broken(string file, int? line, string reason, string? remedy = null) => new(
        RevisionGraph.BrokenHistory,
        line is null ? $"{file}: {reason}." : $"{file}:{line}: {reason}.",
        remedy
            ?? "Nothing was changed in the database. Mend the file, or take it from your repository again ('git log -- migrations' shows "
            + "who touched it), then start once more.");

    // Alembic can be told to look in other folders, and to keep the revision in another table; the migrator looks in these.
    private void ThrowIfElsewhere()
    {
        foreach (var (name, setting) in (ValueTuple<string, Regex>[])[("env.py", VersionTable()), ("alembic.ini", VersionLocations())])
        {
            var file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder))!, name);
            if (File.Exists(file) && File.ReadAllText(file) is var text && setting.Match(text) is { Success: true } found)
            {
                throw Broken(
                    file, RevisionTemplate.LineOf(found, text),
                    $"'{found.Groups[1].Value}' is set, and the migrator knows revisions in {folder} and the table "
                    + $"{UvlhubDatabase.VersionTable} of the application's database alone",
                    "Nothing was changed in the database. Take the setting out (a table can be renamed: 'RENAME TABLE … TO "
                    + $"{UvlhubDatabase.VersionTable}'), then start again.");
            }
        }
    }

    private List<string> Files()
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder)
                .Where(file => FileName().IsMatch(Path.GetFileName(file)))
                .Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            throw new MigrationRefusedException(
                RevisionGraph.NoFolder,
                $"{folder}: there is no such folder, so nothing tells which tables the application needs.",
                "Get the migrations from your repository ('git status', 'git checkout -- migrations'), or make a first one with 'flask db "
                + "init' and 'flask db migrate'.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Broken(folder, null, $"the folder cannot be read: {exception.Message}");
        }
    }

    /// <summary>Reads a file without Python; <see langword="null"/> if it is not as the template writes it.</summary>
    public static Revision? ReadTemplate(string file)
    {
        string text;
        try
        {
            // With Python's line ends, and one at the end.
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(file))
                .Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n') + "\n";
        }
        catch (DecoderFallbackException)
        {
            // In another encoding, or broken: Python tells.
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Broken(file, null, $"it cannot be read: {exception.Message}");
        }

        // Git leaves its markers inside the docstring too, where they are no mistake of Python's.
        return MergeConflict().Match(text) is { Success: true } conflict
            ? throw Broken(
                file, RevisionTemplate.LineOf(conflict, text), "an unresolved merge conflict of Git; edit the file, then 'git add' it")
            : RevisionTemplate.Read(file, text);
    }

    [GeneratedRegex("""^[^#\n]*?\b(version_table(?:_schema)?)\b["']?[ \t]*[=:][ \t]*(?!None\b)[^=\s]""", RegexOptions.Multiline)]
    private static partial Regex VersionTable();

    [GeneratedRegex(@"^[ \t]*(version_locations|version_table)[ \t]*=[ \t]*\S", RegexOptions.Multiline)]
    private static partial Regex VersionLocations();

    [GeneratedRegex(@"^(?!\.#|__init__).*\.py$")]
    private static partial Regex FileName();

    [GeneratedRegex("^(<<<<<<<|>>>>>>>) ", RegexOptions.Multiline)]
    private static partial Regex MergeConflict();
}
