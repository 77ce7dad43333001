using System.Text;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>How one revision file is read. Each text was run through Python to see what it sets.</summary>
public sealed class RevisionFileTests
{
    [Theory]
    [InlineData("revision = '001'\ndown_revision = None\n", "001", "")]
    [InlineData("revision = \"ab12\"\ndown_revision = \"cd34\"\n", "ab12", "cd34")]
    [InlineData("revision='a';down_revision='b'", "a", "b")]
    [InlineData("revision: str = 'a'\ndown_revision: Union[str, Sequence[str], None] = 'b'\n", "a", "b")]
    [InlineData("revision: \"str\" = '''a'''\ndown_revision: str | None = \"\"\"b\"\"\"\n", "a", "b")]
    [InlineData("revision = ('a')\ndown_revision = ('b', 'c')\n", "a", "b c")]
    [InlineData("revision = 'a'\ndown_revision = ('b',)\n", "a", "b")]
    [InlineData("revision = 'a'\ndown_revision = 'b', 'c'\n", "a", "b c")]
    [InlineData("revision = 'a'\ndown_revision = ['b', 'c',]\n", "a", "b c")]
    [InlineData("revision = 'a'\ndown_revision = {'b'}\n", "a", "b")]
    [InlineData("revision = 'a'\ndown_revision = (('b', 'c'))\n", "a", "b c")]
    [InlineData("revision = 'a'\ndown_revision = ()\n", "a", "")]
    [InlineData("revision = 'a'\ndown_revision = (None,)\n", "a", "")]
    [InlineData("revision = 'a'\ndown_revision = (\n    'b',  # first\n\n    # second\n    'c'\n)\n", "a", "b c")]
    [InlineData("revision = 'a' \\\n    'b'\ndown_revision = ('c'\n  \"d\")\n", "ab", "cd")]
    [InlineData("revision = \\\n  'a'\ndown_revision = None", "a", "")]
    [InlineData("revision = down_revision_ = 'a'\ndown_revision = None", "a", "")]
    [InlineData("revision = r'a'\ndown_revision = u'b'", "a", "b")]
    [InlineData("revision = '\\x61\\142\\u0063'\ndown_revision = 'd\\\ne'", "abc", "de")]
    [InlineData("revision = 'a'\nrevision = 'b'\ndown_revision = 'c'\ndown_revision = None", "b", "")]
    [InlineData("revision = 'a'  # = 'b'\n# revision = 'c'\ndown_revision = None", "a", "")]
    [InlineData("'''\nrevision = 'no'\ndown_revision = 'no'\n'''\nrevision = 'a'\ndown_revision = None", "a", "")]
    [InlineData("x = '''\nrevision = \"no\"\n'''\nrevision = 'a'\ndown_revision = None", "a", "")]
    [InlineData("revision = 'a'\r\ndown_revision = 'b'\r\n", "a", "b")]
    [InlineData("revision = 'a'\rdown_revision = 'b'\r", "a", "b")]
    [InlineData("\ufeffrevision = 'a'\ndown_revision = 'b'", "a", "b")]
    [InlineData("#!/usr/bin/env python\n\f\nrevision = 'a'\ndown_revision = 'b'", "a", "b")]
    [InlineData("revision = 'a'\ndown_revision = 'b'\ndef upgrade():\n    revision = 'local'\n    down_revision = x.y\n", "a", "b")]
    [InlineData("revision = 'a'\ndown_revision = 'b'\nclass X:\n    revision = 'local'\n    if True:\n        down_revision = 1\n", "a", "b")]
    [InlineData("revision = 'a'\ndown_revision = 'b'\nprint(revision, down_revision)\nassert revision == 'a'\nx = revision\nop.execute(revision='z')\no.revision = 'z'\n", "a", "b")]
    [InlineData("revision = 'a'\ndown_revision = 'b'\nif revision == 'a':\n    print(revision)\nfor x in [revision]:\n    pass\n", "a", "b")]
    [InlineData("from revision import x\nimport revision as y\nrevision = 'a'\ndown_revision = 'b'", "a", "b")]
    [InlineData("revision = 'a'\ndown_revision = 'b'\ndef upgrade():\n  '''\n<<not a conflict>>\n'''\n  return {'x': [1, (2, 3)]}[0]\n", "a", "b")]
    [InlineData("revision = '数据'\ndown_revision = 'ñ'", "数据", "ñ")]
    public void The_identifiers_are_those_that_Python_would_set(string text, string id, string parents)
    {
        using var folder = new RevisionFolder();
        folder.Write("file.py", text);
        foreach (var parent in parents.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            folder.Write($"{parent}_.py", $"revision = '{parent}'\ndown_revision = None\n");
        }

        var revision = folder.Read().Find(id);

        Assert.NotNull(revision);
        Assert.Equal(parents.Split(' ', StringSplitOptions.RemoveEmptyEntries), revision.Parents);
    }

    [Theory]
    [InlineData("revision = f'a{1}'\ndown_revision = None", 1, "formatted")]
    [InlineData("revision = b'a'\ndown_revision = None", 1, "byte string")]
    [InlineData("revision = 1\ndown_revision = None", 1, "the number 1")]
    [InlineData("x = 'a'\nrevision = x\ndown_revision = None", 2, "computed from 'x'")]
    [InlineData("revision = 'a'\ndown_revision = 'b' + 'c'", 2, "computed")]
    [InlineData("revision = 'a'\ndown_revision = 'b'.strip()", 2, "computed")]
    [InlineData("revision = 'a'\ndown_revision = ('b',\n  get())", 3, "computed from 'get'")]
    [InlineData("revision = 'a'\ndown_revision = 'b' if x else None", 2, "computed from 'if'")]
    [InlineData("revision = 'a'\ndown_revision = ('b', ('c', 'd'))", 2, "computed")]
    [InlineData("revision = 'a'\ndown_revision = ('b', None)", 2, "None between")]
    [InlineData("revision = 'a'\ndown_revision =", 2, "no value")]
    [InlineData("revision = None\ndown_revision = None", 1, "not empty")]
    [InlineData("revision = ''\ndown_revision = None", 1, "not empty")]
    [InlineData("revision = ('a', 'b')\ndown_revision = None", 1, "must be a string")]
    [InlineData("if True:\n    revision = 'a'\ndown_revision = None", 2, "inside a block")]
    [InlineData("if True: revision = 'a'\ndown_revision = None", 1, "inside a block")]
    [InlineData("try:\n  x\nexcept E as revision:\n  pass\ndown_revision = None", 3, "inside a block")]
    [InlineData("for revision in x:\n  pass\ndown_revision = None", 1, "inside a block")]
    [InlineData("revision, down_revision = 'a', None", 1, "a line of its own")]
    [InlineData("(revision, down_revision) = 'a', None", 1, "a line of its own")]
    [InlineData("revision = 'a'\nrevision += 'b'\ndown_revision = None", 2, "a line of its own")]
    [InlineData("x = (revision := 'a')\ndown_revision = None", 1, "a line of its own")]
    [InlineData("from .ids import revision\ndown_revision = None", 1, "a line of its own")]
    [InlineData("import ids as revision\ndown_revision = None", 1, "a line of its own")]
    [InlineData("revision = 'a'\ndown_revision = None\ndel revision", 3, "a line of its own")]
    [InlineData("revision = 'a\ndown_revision = None", 1, "string is never closed")]
    [InlineData("revision = 'a'\ndown_revision = ('b'\n", 2, "never closed")]
    [InlineData("revision = 'a'\ndown_revision = 'b')\n", 2, "no partner")]
    [InlineData("'''docstring\nrevision = 'a'\n", 1, "string is never closed")]
    [InlineData("revision = 'a' \\ \ndown_revision = None", 1, "continues the line")]
    [InlineData("revision = '\\N{BULLET}'\ndown_revision = None", 1, "\\N")]
    [InlineData("revision = '\\xg'\ndown_revision = None", 1, "incomplete")]
    [InlineData("revision = ‘a’\ndown_revision = None", 1, "'‘' means nothing")]
    [InlineData("revision = 'a'\n<<<<<<< HEAD\ndown_revision = 'b'\n=======\ndown_revision = 'c'\n>>>>>>> other\n", 2, "merge conflict")]
    [InlineData("\"\"\"x\n\n<<<<<<< HEAD\nRevises: b\n=======\nRevises: c\n>>>>>>> other\n\"\"\"\nrevision = 'a'\ndown_revision = 'b'\n", 3, "merge conflict")]
    [InlineData("revision = 'a-b'\ndown_revision = None", 1, "allows no '-'")]
    public void What_only_running_the_file_could_tell_or_Python_would_not_read_is_refused_with_its_line(
        string text, int line, string reason)
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("broken.py", text);

        var refusal = folder.Refusal();

        Assert.Equal(RevisionGraph.BrokenHistory, refusal.State);
        Assert.StartsWith($"{file}:{line}: ", refusal.Problem, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Problem, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed in the database", refusal.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_revision_is_refused_as_Alembic_does()
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("env.py", "import os\n");
        Assert.StartsWith($"{file}: no 'revision' is set", folder.Refusal().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_without_a_revision_that_is_named_like_one_is_that_revision_as_Alembic_takes_it()
    {
        using var folder = new RevisionFolder();
        folder.Write("ab12.py", "down_revision = None\n");
        Assert.Equal("ab12", folder.Read().Head.Id);
    }

    [Fact]
    public void A_file_without_a_down_revision_is_refused_with_what_to_write()
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("a.py", "revision = 'a'\n");
        Assert.StartsWith(
            $"{file}: no 'down_revision' is set in it; write down_revision = None", folder.Refusal().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_files_of_the_folder_are_no_revisions()
    {
        using var folder = new RevisionFolder();
        folder.Write("001.py", "revision = '001'\ndown_revision = None\n");
        foreach (var other in new[] { "__init__.py", ".#001.py", "001.pyc", "001.py.orig", "README", "__pycache__/001.py", "nested/002.py", "x.PY" })
        {
            folder.Write(other, "][ no Python");
        }

        Directory.CreateDirectory(Path.Combine(folder.Path, "folder.py"));

        Assert.Equal(["001"], folder.Read().Revisions.Select(revision => revision.Id));
    }

    [Fact]
    public void A_file_that_is_no_text_is_refused_with_its_line()
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("._001.py", [.. "\n\n"u8, 0, 5]);
        Assert.StartsWith($"{file}:3: a zero byte", folder.Refusal().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_UTF_8_is_refused_with_its_line()
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("a.py", Encoding.Latin1.GetBytes("revision = 'a'\n# español\ndown_revision = None\n"));
        Assert.StartsWith($"{file}:2: it is not UTF-8 text", folder.Refusal().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_names_its_encoding_is_read_in_it()
    {
        using var folder = new RevisionFolder();
        folder.Write(
            "a.py", Encoding.Latin1.GetBytes("#!/usr/bin/python\n# -*- coding: latin-1 -*-\nrevision = 'añ'\ndown_revision = None\n"));
        Assert.Equal("añ", folder.Read().Head.Id);
    }

    [Fact]
    public void A_file_in_an_unknown_encoding_is_refused_with_the_line_that_names_it()
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("a.py", "# coding: klingon\nrevision = 'a'\ndown_revision = None\n");
        Assert.StartsWith($"{file}:1: the encoding 'klingon' is not known", folder.Refusal().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_nowhere_is_refused_by_its_name()
    {
        using var folder = new RevisionFolder();
        var link = Path.Combine(folder.Path, "a.py");
        File.CreateSymbolicLink(link, Path.Combine(folder.Path, "gone"));
        Assert.StartsWith($"{link}: it cannot be read", folder.Refusal().Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\"\"add metrics\n\nRevision ID: a\nRevises: b\n\"\"\"\n", "add metrics")]
    [InlineData("'''two\nlines\n\nRevision ID: a\n'''\n", "two\nlines")]
    [InlineData("\"\"\"\r\nadd metrics\r\n\r\nRevision ID: a\r\n\"\"\"\r\n", "add metrics")]
    [InlineData("\"\"\"\n\nRevision ID: a\nRevises: \n\"\"\"\n", null)]
    [InlineData("f\"\"\"computed\"\"\"\n", null)]
    [InlineData("", null)]
    public void The_message_is_the_first_paragraph_of_the_docstring(string docstring, string? message)
    {
        using var folder = new RevisionFolder();
        folder.Write("a.py", $"{docstring}revision = 'a'\ndown_revision = None\n");
        Assert.Equal(message, folder.Read().Head.Message);
    }

    [Fact]
    public void Labels_and_dependencies_are_read_in_all_their_forms()
    {
        using var folder = new RevisionFolder();
        folder.Write("a.py", "revision = 'a'\ndown_revision = None\nbranch_labels = ('main', \"other\")\ndepends_on = None\n");
        folder.Write("b.py", "revision = 'b'\ndown_revision = 'a'\nbranch_labels: str = 'third'\ndepends_on: Union[str, None] = ['c']\n");
        folder.Write("c.py", "revision = 'c'\ndown_revision = None\ndepends_on = 'main'\n");

        var graph = folder.Read();

        Assert.Equal(["main", "other"], graph.Find("a")!.BranchLabels);
        Assert.Equal(["third"], graph.Find("b")!.BranchLabels);
        Assert.Equal(["c"], graph.Find("b")!.DependsOn);
        Assert.Equal(["a", "c", "b"], graph.Revisions.Select(revision => revision.Id));
    }
}
