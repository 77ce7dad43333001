using System.Text;
using System.Text.RegularExpressions;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>
/// Finds and reads revision files as Alembic does
/// (https://github.com/sqlalchemy/alembic/blob/main/alembic/script/base.py, <c>_list_py_dir</c> and <c>_from_path</c>):
/// the <c>.py</c> files of the folder itself, except editors' lock files and <c>__init__</c>. Alembic refuses a file that
/// sets no <c>revision</c>, unless its name is the identifier; so does this.
/// </summary>
internal static partial class RevisionReader
{
    // A revision file is some kilobytes. Whatever is larger than this is something else.
    private const long MaximumLength = 16 * 1024 * 1024;

    /// <summary>Reads all revision files of a folder, in the order of their names.</summary>
    /// <exception cref="MigrationRefusedException">One of them cannot be read; the message names it.</exception>
    public static IReadOnlyList<(Revision Revision, int? ParentsLine)> ReadFolder(string folder)
    {
        List<string> files;
        try
        {
            files =
            [
                .. Directory.EnumerateFiles(folder).Where(file => IsRevisionFile(Path.GetFileName(file))).Order(StringComparer.Ordinal),
            ];
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

        return [.. files.Select(Read)];
    }

    /// <summary>The refusal of one file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="line">The line in it, counted from 1.</param>
    /// <param name="reason">What is wrong with it, without a full stop.</param>
    /// <param name="remedy">What the user does next. Default: to mend the file or take it from Git.</param>
    public static MigrationRefusedException Broken(string file, int? line, string reason, string? remedy = null) => new(
        RevisionGraph.BrokenHistory,
        line is null ? $"{file}: {reason}." : $"{file}:{line}: {reason}.",
        remedy
            ?? "Nothing was changed in the database. Mend the file, or take it from your repository again ('git log -- migrations' shows "
            + "who touched it), then start once more.");

    private static bool IsRevisionFile(string name) =>
        name.EndsWith(".py", StringComparison.Ordinal) &&
        !name.StartsWith(".#", StringComparison.Ordinal) &&
        !name.StartsWith("__init__", StringComparison.Ordinal);

    private static (Revision, int?) Read(string file)
    {
        RevisionSource source;
        try
        {
            source = RevisionSource.Read(ReadText(file));
        }
        catch (PythonSyntaxException exception)
        {
            throw Broken(file, exception.Line, exception.Message);
        }

        // Alembic's own way with files of its first version: 'ab12.py' without a 'revision' is revision 'ab12'.
        var id = source.Id ?? (LegacyName().Match(Path.GetFileName(file)) is { Success: true } name
            ? name.Groups[1].Value
            : throw Broken(file, null, "no 'revision' is set in it, and Alembic takes every .py file of this folder for a revision"));
        if (id.IndexOfAny(['@', '-', '+', ':']) is var illegal and >= 0)
        {
            throw Broken(file, source.IdLine, $"Alembic allows no '{id[illegal]}' in the revision '{id}'");
        }

        var parents = source.Parents
            ?? throw Broken(file, null, "no 'down_revision' is set in it; write down_revision = None if it is the first revision");
        return (new Revision(id, parents, file, source.Message, source.BranchLabels, source.DependsOn), source.ParentsLine);
    }

    private static string ReadText(string file)
    {
        byte[] bytes;
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length > MaximumLength)
            {
                throw Broken(file, null, $"it has {stream.Length} bytes, which no revision has");
            }

            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Broken(file, null, $"it cannot be read: {exception.Message}");
        }

        return Decode(file, bytes);
    }

    private static string Decode(string file, byte[] bytes)
    {
        if (bytes.AsSpan().IndexOf((byte)0) is var zero and >= 0)
        {
            throw Broken(file, LineAt(bytes, zero), "a zero byte: this is no text");
        }

        ReadOnlySpan<byte> text = bytes;
        var hasMark = text.StartsWith(Encoding.UTF8.Preamble);
        text = hasMark ? text[Encoding.UTF8.Preamble.Length..] : text;
        var encoding = DeclaredEncoding(file, text) ?? new UTF8Encoding(false, throwOnInvalidBytes: true);
        try
        {
            return encoding.GetString(text);
        }
        catch (DecoderFallbackException exception)
        {
            throw Broken(
                file, LineAt(text, Math.Clamp(exception.Index, 0, text.Length)),
                $"it is not {encoding.WebName.ToUpperInvariant()} text; save it in that encoding");
        }
    }

    // A comment of the first two lines, https://peps.python.org/pep-0263/.
    private static Encoding? DeclaredEncoding(string file, ReadOnlySpan<byte> text)
    {
        var rest = text;
        for (var line = 1; line <= 2 && !rest.IsEmpty; line++)
        {
            var end = rest.IndexOfAny((byte)'\n', (byte)'\r');
            var content = Encoding.Latin1.GetString(end < 0 ? rest : rest[..end]);
            if (EncodingComment().Match(content) is { Success: true } declared)
            {
                var name = declared.Groups[1].Value;
                try
                {
                    return Encoding.GetEncoding(DotNetName(name), EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
                }
                catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
                {
                    throw Broken(file, line, $"the encoding '{name}' is not known here; save the file as UTF-8 and remove this comment");
                }
            }

            if (end < 0 || content.TrimStart(' ', '\t', '\f') is { Length: > 0 } code && code[0] != '#')
            {
                return null;
            }

            rest = rest[(end + (rest[end..].StartsWith("\r\n"u8) ? 2 : 1))..];
        }

        return null;
    }

    // Python's names for what .NET calls otherwise, https://docs.python.org/3/library/codecs.html#standard-encodings.
    private static string DotNetName(string name) => name.ToUpperInvariant().Replace('_', '-') switch
    {
        "UTF8" or "U8" or "UTF-8-SIG" => "utf-8",
        "LATIN-1" or "LATIN1" or "LATIN" or "ISO8859-1" or "L1" => "iso-8859-1",
        "ASCII" or "646" => "us-ascii",
        var other => other,
    };

    private static int LineAt(ReadOnlySpan<byte> text, int index) => text[..index].Count((byte)'\n') + 1;

    [GeneratedRegex(@"^([a-f0-9]+)\.py$")]
    private static partial Regex LegacyName();

    [GeneratedRegex(@"^[ \t\f]*#.*?coding[:=][ \t]*([-_.a-zA-Z0-9]+)")]
    private static partial Regex EncodingComment();
}
