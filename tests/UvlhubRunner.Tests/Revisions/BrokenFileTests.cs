using System.Text;
using CsCheck;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>Whatever is in a revision file, reading it ends with a history or with a refusal that names the file.</summary>
public sealed class BrokenFileTests
{
    private const int Samples = 1500;

    // What a reader of Python can trip over.
    private static readonly string[] s_pieces =
    [
        "'", "\"", "'''", "\"\"\"", "\\", "\\\n", "(", ")", "[", "]", "{", "}", "#", "\n", "\r", "\f", "\t", "\0", "=", ":=", ";", ",", ":",
        "@", "\\N{", "\\x", "\\U00110000", "f'", "rb\"", "None",
        "revision", "down_revision", "revision = ", "if x: ", "def f(): ", "import revision", "global revision", "\ufeff", "\u2028",
        "\ud83e\udd8a", "# coding: utf-16\n", "# coding: x\n", "<<<<<<< HEAD\n", "é", "0x", "1e", "...", "!", "$", "`", "?",
    ];

    private static readonly Gen<byte[]> s_edited =
        from history in GeneratedHistory.Any
        from edits in Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[0, 5], Gen.Int[0, s_pieces.Length - 1], Gen.Byte).Array[1, 6]
        select Edit(Encoding.UTF8.GetBytes(history.Text(history.Count - 1, history.Parents[^1].Select(GeneratedHistory.Id))), edits);

    [Fact]
    public void An_edited_file_is_read_or_refused_by_name() => s_edited.Sample(ReadOrRefuse, iter: Samples);

    [Fact]
    public void Random_bytes_are_read_or_refused_by_name() => Gen.Byte.Array[0, 300].Sample(ReadOrRefuse, iter: Samples);

    [Fact]
    public void Random_pieces_of_Python_are_read_or_refused_by_name() =>
        Gen.Int[0, s_pieces.Length - 1].Array[0, 40].Select(
            pieces => Encoding.UTF8.GetBytes(string.Concat(pieces.Select(piece => s_pieces[piece]))))
            .Sample(ReadOrRefuse, iter: Samples);

    [Theory]
    [InlineData("(", 100_000)]
    [InlineData("[", 250)]
    [InlineData("revision = (", 1000)]
    [InlineData("'", 100_000)]
    [InlineData("\\\n", 100_000)]
    [InlineData("revision, ", 5_000)]
    [InlineData("revision = ", 20_000)]
    [InlineData("'a' ", 100_000)]
    [InlineData("# coding", 50_000)]
    public void An_endless_repetition_is_read_or_refused_soon(string piece, int times)
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        ReadOrRefuse(Encoding.UTF8.GetBytes("down_revision = None\n" + string.Concat(Enumerable.Repeat(piece, times))));
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20));
    }

    private static void ReadOrRefuse(byte[] bytes)
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("broken.py", bytes);
        try
        {
            var revision = Assert.Single(RevisionGraph.Read(folder.Path).Revisions);
            Assert.NotEmpty(revision.Id);
            Assert.Equal(file, revision.File);
        }
        catch (MigrationRefusedException refusal)
        {
            Assert.Equal(RevisionGraph.BrokenHistory, refusal.State);
            Assert.StartsWith($"{file}:", refusal.Problem, StringComparison.Ordinal);
            Assert.NotEmpty(refusal.Remedy);
        }
    }

    private static byte[] Edit(byte[] text, (int Where, int How, int Piece, byte Value)[] edits)
    {
        List<byte> bytes = [.. text];
        foreach (var (where, how, piece, value) in edits)
        {
            var position = where % (bytes.Count + 1);
            var inside = Math.Min(position, Math.Max(bytes.Count - 1, 0));
            switch (how)
            {
                case 0 when bytes.Count > 0:
                    bytes[inside] = value;
                    break;
                case 1 when bytes.Count > 0:
                    bytes.RemoveAt(inside);
                    break;
                case 2:
                    bytes.RemoveRange(position, bytes.Count - position);
                    break;
                case 3:
                    bytes.RemoveRange(inside, Math.Min(value, bytes.Count - inside));
                    break;
                default:
                    bytes.InsertRange(position, Encoding.UTF8.GetBytes(s_pieces[piece]));
                    break;
            }
        }

        return [.. bytes];
    }
}
