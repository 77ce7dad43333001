using System.Text.Json.Nodes;
using UvlhubAspire.Runner;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

public sealed class RevisionGraphTests
{
    [Theory]
    [InlineData("egc2526-v1.0.0", "001")]
    [InlineData("egcetsii-main-2026-07", "001")]
    [InlineData("diverso-lab-v2.9", "84bec63cef2e ee680f773075 47be69e6e2d4 8a96e53e7e32 976920761330 b3f9e4c2a1d0 c7d8e9f0a1b2 d1e2f3a4b5c6 f1a2b3c4d5e6 f2b3c4d5e6f7 a7c1d2e3f4b5")]
    public void The_history_of_a_real_edition_has_its_order_and_head(string edition, string order)
    {
        using var folder = new RevisionFolder();
        var facts = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Editions", $"{edition}.json")))!;
        foreach (var revision in facts["migrations"]!.AsArray())
        {
            var parent = revision!["down_revision"]!.GetValue<string>();
            folder.Write(
                revision["file"]!.GetValue<string>(),
                $"revision = '{revision["revision"]}'\ndown_revision = {(parent == "None" ? parent : $"'{parent}'")}\n");
        }

        var graph = folder.Read();
        var ids = order.Split(' ');

        Assert.Equal(ids, graph.Revisions.Select(revision => revision.Id));
        Assert.Equal(ids[^1], graph.Head.Id);
        Assert.Equal(ids, graph.Pending([]).Select(revision => revision.Id));
        Assert.Equal(ids[1..], graph.Pending([ids[0]]).Select(revision => revision.Id));
        Assert.Empty(graph.Pending([ids[^1]]));
    }

    [Fact]
    public void A_checkout_without_the_folder_is_refused_with_where_to_get_it()
    {
        using var folder = new RevisionFolder();
        var missing = Path.Combine(folder.Path, "missing");
        var refusal = folder.Refusal(missing);
        Assert.Equal(RevisionGraph.NoFolder, refusal.State);
        Assert.Contains(missing, refusal.Problem, StringComparison.Ordinal);
        Assert.Contains("git checkout -- migrations", refusal.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_revisions_has_no_head()
    {
        using var folder = new RevisionFolder();
        var graph = folder.Read();
        Assert.Empty(graph.Heads);
        Assert.Equal(RevisionGraph.NoRevisions, Assert.Throws<MigrationRefusedException>(() => graph.Head).State);
    }

    [Fact]
    public void Several_heads_are_named_with_their_files_and_the_line_that_joins_them()
    {
        using var folder = new RevisionFolder();
        folder.Write("1.py", "revision = 'base'\ndown_revision = None\n");
        var left = folder.Write("2.py", "'''add metrics'''\nrevision = 'left'\ndown_revision = 'base'\n");
        var right = folder.Write("3.py", "revision = 'right'\ndown_revision = 'base'\n");

        var graph = folder.Read();
        var refusal = Assert.Throws<MigrationRefusedException>(() => graph.Head);

        Assert.Equal(RevisionGraph.SeveralHeads, refusal.State);
        Assert.Contains($"left (add metrics)  {left}", refusal.Problem, StringComparison.Ordinal);
        Assert.Contains($"right  {right}", refusal.Problem, StringComparison.Ordinal);
        Assert.EndsWith("flask db merge -m \"merge heads\" left right", refusal.Remedy, StringComparison.Ordinal);
        Assert.Throws<MigrationRefusedException>(() => graph.Pending([]));
    }

    [Fact]
    public void A_merge_revision_joins_heads()
    {
        using var folder = new RevisionFolder();
        folder.Write("1.py", "revision = 'base'\ndown_revision = None\n");
        folder.Write("2.py", "revision = 'left'\ndown_revision = 'base'\n");
        folder.Write("3.py", "revision = 'right'\ndown_revision = 'base'\n");
        folder.Write("4.py", "revision = 'merge'\ndown_revision = ('left', 'right')\n");

        var graph = folder.Read();

        Assert.Equal("merge", graph.Head.Id);
        Assert.Equal(["right", "merge"], graph.Pending(["left"]).Select(revision => revision.Id));
        Assert.Equal(["merge"], graph.Pending(["left", "right"]).Select(revision => revision.Id));
    }

    [Fact]
    public void A_dependency_runs_before_but_leaves_two_heads_as_in_Alembic()
    {
        using var folder = new RevisionFolder();
        folder.Write("1.py", "revision = 'a'\ndown_revision = None\nbranch_labels = 'first'\n");
        folder.Write("2.py", "revision = 'z'\ndown_revision = None\n");
        folder.Write("3.py", "revision = 'b'\ndown_revision = 'a'\ndepends_on = 'z'\n");

        var graph = folder.Read();

        Assert.Equal(["b", "z"], graph.Heads.Select(head => head.Id).Order());
        Assert.Equal(["a", "z", "b"], graph.Revisions.Select(revision => revision.Id));
    }

    [Fact]
    public void An_unknown_version_of_a_database_is_named()
    {
        using var folder = new RevisionFolder();
        folder.Write("1.py", "revision = 'base'\ndown_revision = None\n");
        var refusal = Assert.Throws<MigrationRefusedException>(() => folder.Read().Pending(["elsewhere"]));
        Assert.Equal(RevisionGraph.UnknownRevision, refusal.State);
        Assert.Contains("'elsewhere'", refusal.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_parent_is_refused_with_the_line_that_names_it_and_how_to_find_it()
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("1.py", "revision = 'a'\n\ndown_revision = 'gone'\n");
        var refusal = folder.Refusal();
        Assert.StartsWith($"{file}:3: it follows the revision 'gone'", refusal.Problem, StringComparison.Ordinal);
        Assert.Contains("git log --all --oneline -S gone -- migrations", refusal.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("env.py", "def run():\n    context.configure(\n        version_table='v', connection=c)\n", 3, "version_table")]
    [InlineData("env.py", "options = {\"version_table_schema\": \"x\"}\n", 1, "version_table_schema")]
    [InlineData("alembic.ini", "[alembic]\n\nversion_locations = %(here)s/a\n", 3, "version_locations")]
    public void Another_place_for_revisions_or_their_table_is_refused_with_its_line(string file, string text, int line, string setting)
    {
        using var folder = new RevisionFolder();
        folder.Write("001.py", "revision = '001'\ndown_revision = None\n");
        var path = Path.Combine(folder.Checkout, "migrations", file);
        File.WriteAllText(path, text);

        Assert.StartsWith($"{path}:{line}: '{setting}' is set", folder.Refusal().Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("env.py", "# version_table='v'\nversion_table = None\nif version_table == 1: pass\n")]
    [InlineData("alembic.ini", "# version_locations = %(here)s/a\nversion_locations =\nversion_path_separator = os\n")]
    public void What_only_looks_like_one_is_not(string file, string text)
    {
        using var folder = new RevisionFolder();
        folder.Write("001.py", "revision = '001'\ndown_revision = None\n");
        File.WriteAllText(Path.Combine(folder.Checkout, "migrations", file), text);

        Assert.Equal("001", folder.Read().Head.Id);
    }

    [Fact]
    public void A_duplicate_is_refused_with_both_files()
    {
        using var folder = new RevisionFolder();
        var first = folder.Write("1.py", "revision = 'a'\ndown_revision = None\n");
        var second = folder.Write("2.py", "revision = 'a'\ndown_revision = None\n");
        Assert.Equal($"{second}: the revision 'a' is already in {first}.", folder.Refusal().Problem);
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("a", "b")]
    public void A_cycle_is_refused_with_its_files(string parentOfB, string parentOfA)
    {
        using var folder = new RevisionFolder();
        var a = folder.Write("1.py", $"revision = 'a'\ndown_revision = '{parentOfA}'\n");
        folder.Write("2.py", $"revision = 'b'\ndown_revision = '{parentOfB}'\n");
        folder.Write("3.py", "revision = 'c'\ndown_revision = None\n");
        var refusal = folder.Refusal();
        Assert.Contains("comes back to itself", refusal.Problem, StringComparison.Ordinal);
        Assert.Contains(a, refusal.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("3.py", refusal.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("depends_on = 'nothing'", "depends on 'nothing'")]
    [InlineData("depends_on = 'a'", "comes back to itself")]
    [InlineData("branch_labels = 'b'", "also the revision")]
    [InlineData("branch_labels = 'taken'", "already in")]
    public void A_wrong_dependency_or_label_is_refused(string line, string reason)
    {
        using var folder = new RevisionFolder();
        var file = folder.Write("2.py", $"revision = 'a'\ndown_revision = None\n{line}\n");
        folder.Write("1.py", "revision = 'b'\ndown_revision = None\nbranch_labels = 'taken'\n");
        var refusal = folder.Refusal();
        Assert.StartsWith($"{file}: ", refusal.Problem, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Problem, StringComparison.Ordinal);
    }
}
