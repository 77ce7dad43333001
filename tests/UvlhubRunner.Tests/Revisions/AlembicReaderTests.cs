using System.Text;
using CsCheck;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>What the template does not write is read by Alembic, in a container as the toolbox is.</summary>
public sealed class AlembicReaderTests(AlembicFixture alembic) : IClassFixture<AlembicFixture>
{
    // What a reader of Python can trip over.
    private static readonly string[] s_pieces =
    [
        "'", "\"", "'''", "\"\"\"", "\\", "\\\n", "(", ")", "[", "]", "{", "}", "#", "\n", "\r", "\f", "\t", "\0", "=", ":=", ";", ",", ":",
        "@", "\\N{", "\\x", "\\U00110000", "f'", "rb\"", "None",
        "revision", "down_revision", "revision = ", "if x: ", "def f(): ", "import revision", "global revision", "\ufeff", "\u2028",
        "\ud83e\udd8a", "# coding: utf-16\n", "# coding: x\n", "<<<<<<< HEAD\n", "é", "0x", "1e", "...", "!", "$", "`", "?",
    ];

    private static readonly string[] s_lines =
    [
        "revision = 'other'", "down_revision = ('other', 'others')", "\"\"\"\nrevision = 'no'\n\"\"\"", "# '''", "import os", "'''",
        "if True: revision = 'other'", "branch_labels = 'some'", "depends_on: str = 'some'", "x = revision", "# a revision", "",
        "from sys import path as revision", "exec('revi' + 'sion = \"b\"')", "globals().update(down_revision='other')", "pass",
        "x = \"\"\"\\", "'''doc'''", "import sys as down_revision", "revision += 's'", "(revision := 'walrus')", "del branch_labels",
    ];

    private static readonly Gen<byte[]> s_edited =
        from history in GeneratedHistory.Any
        from edits in Gen.Select(Gen.Int[0, 1_000_000], Gen.Int[0, 8], Gen.Int[0, s_pieces.Length - 1], Gen.Byte).Array[1, 3]
        select Edit(Encoding.UTF8.GetBytes(history.Text(history.Count - 1, history.Parents[^1].Select(GeneratedHistory.Id))), edits);

    private static readonly Gen<byte[]> s_assembled = Gen.Int[0, s_pieces.Length - 1].Array[0, 40].Select(
        pieces => Encoding.UTF8.GetBytes(string.Concat(pieces.Select(piece => s_pieces[piece]))));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task Only_Python_can_tell_and_does()
    {
        var files = RevisionTemplateTests.s_onlyPythonCanTell;
        var answers = await AskAsync("told", files.Select(file => Encoding.UTF8.GetBytes(file.Text)));

        Assert.All(files.Zip(answers), pair =>
        {
            var ((text, id, parents), answer) = pair;
            Assert.True(answer.Revision is not null, $"{text}: {answer.Reason}");
            Assert.Equal((id, parents), (answer.Revision.Id, string.Join(' ', answer.Revision.Parents.Order(StringComparer.Ordinal))));
        });
    }

    [Fact(Timeout = 120_000)]
    public async Task A_mistake_is_named_with_its_line_in_Pythons_words()
    {
        var files = RevisionTemplateTests.s_mistaken;
        var answers = await AskAsync("mistaken", files.Select(file => Encoding.UTF8.GetBytes(file.Text)));

        Assert.All(files.Zip(answers), pair =>
        {
            var ((text, line, reason), answer) = pair;
            Assert.Null(answer.Revision);
            Assert.Contains(reason, answer.Reason, StringComparison.Ordinal);
            Assert.True(line == answer.Line, $"{text}: {answer.Reason} in line {answer.Line}");
        });
    }

    [Fact(Timeout = 120_000)]
    public async Task The_refusal_of_a_mistaken_file_names_it_and_says_what_to_do()
    {
        alembic.Clear();
        alembic.Folder.Write("001.py", "revision = '001'\ndown_revision = None\n");
        var file = alembic.Folder.Write("002.py", "revision = '002'\ndown_revision = ('001'\n");

        var refusal = await Assert.ThrowsAsync<MigrationRefusedException>(alembic.ReadAsync);

        Assert.Equal(RevisionGraph.BrokenHistory, refusal.State);
        Assert.Equal($"{file}:2: '(' was never closed.", refusal.Problem);
        Assert.Contains("Nothing was changed in the database. Mend the file", refusal.Remedy, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task Files_of_both_kinds_make_one_history()
    {
        alembic.Clear();
        alembic.Folder.Write("1.py", "revision = 'base'\ndown_revision = None\n");
        alembic.Folder.Write("2.py", "'''computed\n\nmore'''\nrevision = 'le' + 'ft'\ndown_revision = 'base'\nbranch_labels = ['side']\n");
        alembic.Folder.Write("3.py", "revision = 'right'\ndown_revision = 'base'\ndepends_on = 'side'\n");
        alembic.Folder.Write("4.py", "print('not an answer')\nrevision = 'merge'\ndown_revision = {'left', 'right'}\n");
        alembic.Folder.Write("ab12.py", "down_revision = 'merge'\n");

        var graph = await alembic.ReadAsync();

        Assert.Equal(["base", "left", "right", "merge", "ab12"], graph.Revisions.Select(revision => revision.Id));
        Assert.Equal("left (computed)", $"{graph.Find("left")}");

        var lost = alembic.Folder.Write("5.py", "x = 1\nrevision = 'b' + 'c'\n\ndown_revision = 'gone'\n");
        Assert.StartsWith(
            $"{lost}:4: it follows the revision 'gone'",
            (await Assert.ThrowsAsync<MigrationRefusedException>(alembic.ReadAsync)).Problem, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_history_in_every_style_is_the_history_that_was_meant()
    {
        var read = 0;
        await GeneratedHistory.InAnyStyle.SampleAsync(
            async history =>
            {
                alembic.Clear();
                history.Write(alembic.Folder);
                var graph = await alembic.ReadAsync();
                Assert.Equal(history.Heads.Select(GeneratedHistory.Id).Order(), graph.Heads.Select(head => head.Id).Order());
                for (var index = 0; index < history.Count; index++)
                {
                    Assert.Equal(history.Parents[index].Select(GeneratedHistory.Id), graph.Find(GeneratedHistory.Id(index))!.Parents);
                    read++;
                }
            },
            iter: 12,
            threads: 1);
        Assert.True(read > 50);
    }

    /// <summary>The one thing that must never happen is another answer than Alembic's.</summary>
    [Fact(Timeout = 300_000)]
    public async Task What_is_read_without_Python_Alembic_reads_alike()
    {
        var certain = 0;
        await Gen.Select(s_edited.Array[400], s_assembled.Array[100], Gen.Byte.Array[0, 300].Array[50]).SampleAsync(
            async sample =>
            {
                byte[][] texts =
                [
                    .. sample.Item1, .. sample.Item2, .. sample.Item3,
                    .. RevisionTemplateTests.Written.Select(row => Encoding.UTF8.GetBytes(row.Data.Item1)),
                ];
                var answers = await AskAsync("alike", texts);
                foreach (var (text, answer, read) in texts.Zip(answers, Enumerable.Range(0, texts.Length).Select(ReadOrRefuse)))
                {
                    // A file that Python cannot load has no identifiers; whoever runs it is told so.
                    if (read is not null && answer.Revision is not null)
                    {
                        certain++;
                        Assert.Equal(
                            (read.Id, string.Join(' ', read.Parents), $"{read}", read.ParentsLine),
                            (answer.Revision.Id, string.Join(' ', answer.Revision.Parents), $"{answer.Revision}", answer.Revision.ParentsLine));
                        Assert.Equal(read.BranchLabels, answer.Revision.BranchLabels);
                        Assert.Equal(read.DependsOn, answer.Revision.DependsOn);
                    }
                }
            },
            iter: 2,
            threads: 1);
        Assert.True(certain > 100, $"only {certain} files were read without Python, which proves little");

        Revision? ReadOrRefuse(int index)
        {
            try
            {
                return RevisionReader.ReadTemplate(Path.Combine(alembic.Folder.Path, $"alike{index:0000}.py"));
            }
            catch (MigrationRefusedException refusal)
            {
                Assert.Contains("merge conflict", refusal.Problem, StringComparison.Ordinal);
                return null;
            }
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task A_thousand_odd_files_are_asked_of_in_one_go()
    {
        alembic.Clear();
        for (var index = 0; index < 1000; index++)
        {
            alembic.Folder.Write(
                $"{index:0000}_a_name_as_long_as_alembic_makes_them.py",
                $"revision = f'{index}'\ndown_revision = {(index == 0 ? "None" : $"'{index - 1}'")}\n");
        }

        var graph = await alembic.ReadAsync();

        Assert.Equal(1000, graph.Pending([]).Count);
    }

    private async Task<IReadOnlyList<AlembicAnswer>> AskAsync(string prefix, IEnumerable<byte[]> texts) => await alembic.Alembic.AskAsync(
        [.. texts.Select((text, index) => alembic.Folder.Write($"{prefix}{index:0000}.py", text))], Cancellation);

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
                case 4:
                    bytes.InsertRange(position, Encoding.UTF8.GetBytes(s_pieces[piece]));
                    break;
                default:
                    var start = bytes.IndexOf((byte)'\n', position) + 1;
                    bytes.InsertRange(start, Encoding.UTF8.GetBytes($"{s_lines[piece % s_lines.Length]}\n"));
                    break;
            }
        }

        return [.. bytes];
    }
}
