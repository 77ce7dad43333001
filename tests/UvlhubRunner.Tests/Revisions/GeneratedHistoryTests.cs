using CsCheck;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Revisions;

/// <summary>What holds for every history, tried on made-up ones. A failure prints the seed that brings it back.</summary>
public sealed class GeneratedHistoryTests
{
    private const int Samples = 150;

    [Fact]
    public void Every_revision_comes_after_all_it_builds_on() => GeneratedHistory.Any.Sample(
        history =>
        {
            using var folder = new RevisionFolder();
            history.Write(folder);
            var graph = folder.Read();
            HashSet<string> seen = [];
            foreach (var revision in graph.Revisions)
            {
                Assert.All(revision.Parents, parent => Assert.Contains(parent, seen));
                Assert.True(seen.Add(revision.Id));
            }

            Assert.Equal(history.Count, seen.Count);
            Assert.Equal(history.Heads.Select(GeneratedHistory.Id).Order(), graph.Heads.Select(head => head.Id).Order());
            for (var index = 0; index < history.Count; index++)
            {
                Assert.Equal(history.Parents[index].Select(GeneratedHistory.Id), graph.Find(GeneratedHistory.Id(index))!.Parents);
            }
        },
        iter: Samples);

    [Fact]
    public void An_upgrade_runs_what_the_head_needs_and_the_database_lacks_in_order() => (
        from history in GeneratedHistory.WithOneHead
        from current in Gen.Int[0, history.Count - 1].Array[0, 3]
        select (history, current)).Sample(
        sample =>
        {
            var (history, current) = sample;
            using var folder = new RevisionFolder();
            history.Write(folder);
            var graph = folder.Read();
            var present = current.SelectMany(history.WithAncestors).ToHashSet();
            var missing = Enumerable.Range(0, history.Count).Except(present).Select(GeneratedHistory.Id);

            var pending = graph.Pending(current.Select(GeneratedHistory.Id)).Select(revision => revision.Id).ToList();

            Assert.Equal(missing.Order(), pending.Order());
            Assert.Equal(graph.Revisions.Select(revision => revision.Id).Where(pending.Contains), pending);
        },
        iter: Samples);

    [Fact]
    public void A_history_that_lost_a_file_is_refused_by_one_that_followed_it() => (
        from history in GeneratedHistory.Any.Where(history => history.Heads.Count < history.Count)
        from pick in Gen.Int[0, 1000]
        select (history, pick)).Sample(
        sample =>
        {
            var (history, pick) = sample;
            var inner = Enumerable.Range(0, history.Count).Except(history.Heads).ToList();
            var lost = inner[pick % inner.Count];
            using var folder = new RevisionFolder();
            history.Write(folder);
            File.Delete(Path.Combine(folder.Path, history.FileOf(lost)));

            var refusal = folder.Refusal();

            Assert.Equal(RevisionGraph.BrokenHistory, refusal.State);
            Assert.Contains($"follows the revision '{GeneratedHistory.Id(lost)}'", refusal.Problem, StringComparison.Ordinal);
            Assert.Contains(
                Enumerable.Range(0, history.Count).Where(index => history.Parents[index].Contains(lost)),
                follower => refusal.Problem.StartsWith(Path.Combine(folder.Path, history.FileOf(follower)), StringComparison.Ordinal));
        },
        iter: Samples);

    [Fact]
    public void A_history_that_comes_back_to_itself_is_refused_by_files_of_the_circle() => (
        from history in GeneratedHistory.Any
        from pick in Gen.Int[0, 1000]
        select (history, pick)).Sample(
        sample =>
        {
            var (history, pick) = sample;
            var later = pick % history.Count;
            var ancestors = history.WithAncestors(later).Order().ToList();
            var earlier = ancestors[pick / 7 % ancestors.Count];
            using var folder = new RevisionFolder();
            history.Write(folder);
            folder.Write(
                history.FileOf(earlier), history.Text(earlier, history.Parents[earlier].Append(later).Select(GeneratedHistory.Id)));

            var refusal = folder.Refusal();

            Assert.Contains("comes back to itself", refusal.Problem, StringComparison.Ordinal);
            Assert.Contains(Path.Combine(folder.Path, history.FileOf(earlier)), refusal.Problem, StringComparison.Ordinal);
        },
        iter: Samples);

    [Fact]
    public void A_history_with_a_revision_twice_is_refused_by_both_files() => (
        from history in GeneratedHistory.Any
        from pick in Gen.Int[0, 1000]
        select (history, pick % history.Count)).Sample(
        sample =>
        {
            var (history, twice) = sample;
            using var folder = new RevisionFolder();
            history.Write(folder);
            var copy = folder.Write("999_copy.py", history.Text(twice, []));

            var refusal = folder.Refusal();

            Assert.Contains(copy, refusal.Problem, StringComparison.Ordinal);
            Assert.Contains(Path.Combine(folder.Path, history.FileOf(twice)), refusal.Problem, StringComparison.Ordinal);
        },
        iter: Samples);

    [Fact]
    public void A_long_history_is_read_without_a_deep_stack()
    {
        const int Length = 3000;
        using var folder = new RevisionFolder();
        for (var index = 0; index < Length; index++)
        {
            folder.Write($"{index}.py", $"revision = '{index}'\ndown_revision = {(index == 0 ? "None" : $"'{index - 1}'")}\n");
        }

        var graph = folder.Read();

        Assert.Equal(Length, graph.Pending([]).Count);
        Assert.Equal(Length - 1000, graph.Pending(["999"]).Count);
    }
}
