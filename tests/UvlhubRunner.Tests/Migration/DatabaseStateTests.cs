using System.Reflection;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Revisions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Migration;

/// <summary>The decision alone: every row of the table of docs/migrations.md, and which of two wins.</summary>
public sealed class DatabaseStateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("", "", null, "empty")]
    [InlineData("t", "002", null, "at-head")]
    [InlineData("t", "002", nameof(RunPhase.SeedDue), "seed-due")]
    [InlineData("t", "001", null, "behind")]
    [InlineData("t", "001", nameof(RunPhase.SeedDue), "behind")]
    [InlineData("t", "", null, "unversioned")]
    [InlineData("t", "abc", null, "unknown-revision")]
    [InlineData("t", "001,abc", null, "unknown-revision")]
    [InlineData("t", "001", nameof(RunPhase.Changing), "interrupted")]
    [InlineData("", "", nameof(RunPhase.Changing), "interrupted")]
    [InlineData("t", "002", nameof(RunPhase.Changing), "interrupted")]
    public void A_usable_history(string tables, string revisions, string? open, string state)
    {
        Write("001", null);
        Write("002", "001");
        Assert.Equal(state, Of(tables, revisions, open is null ? null : Enum.Parse<RunPhase>(open)).Name);
    }

    [Theory]
    [InlineData("", "", null, "several-heads")]
    [InlineData("t", "002", null, "several-heads")]
    [InlineData("t", "abc", null, "several-heads")]
    [InlineData("t", "001", nameof(RunPhase.Changing), "interrupted")]
    public void Two_heads(string tables, string revisions, string? open, string state)
    {
        Write("001", null);
        Write("002", "001");
        Write("003", "001");
        Assert.Equal(state, Of(tables, revisions, open is null ? null : Enum.Parse<RunPhase>(open)).Name);
    }

    [Fact]
    public void No_revisions_and_a_broken_one_are_different_states()
    {
        Assert.Equal("no-revisions", Of("", "", null).Name);
        Write("x", "lost");
        Assert.Equal("broken-history", Of("", "", null).Name);
        Assert.Equal(
            "no-migrations-folder",
            DatabaseState.Of(Facts("", ""), History(Path.Combine(_folder.Path, "missing")), null).Name);
    }

    [Fact]
    public void Two_branches_that_a_merge_joins_are_behind_it()
    {
        Write("001", null);
        Write("002", "001");
        Write("003", "001");
        _folder.Write("004.py", "revision = '004'\ndown_revision = ('002', '003')\n");
        var behind = Assert.IsType<DatabaseState.Behind>(Of("t", "002,003", null));
        Assert.Equal(["004"], behind.Pending.Select(revision => revision.Id));
    }

    [Fact]
    public void Every_state_has_words_of_its_own()
    {
        Write("001", null);
        Write("002", "001");
        List<DatabaseState> states =
        [
            Of("", "", null), Of("t", "002", null), Of("t", "002", RunPhase.SeedDue), Of("t", "001", null),
            Of("t", "", null), Of("t", "abc", null), Of("t", "", RunPhase.Changing),
            DatabaseState.Of(Facts("t", "001") with { PartOf = "s" }, History(_folder.Path), null),
            DatabaseState.Of(Facts("", ""), History(Path.Combine(_folder.Path, "missing")), null),
        ];
        Write("003", "001");
        states.Add(Of("", "", null));
        Write("x", "lost");
        states.Add(Of("", "", null));
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, "no-revisions")).FullName;
        states.Add(DatabaseState.Of(Facts("", ""), History(folder), null));

        // All that there are, by name; the types are those that the compiler knows.
        Assert.Equal(
            [
                "at-head", "behind", "broken-history", "empty", "interrupted", "no-migrations-folder",
                "no-revisions", "partly-restored", "seed-due", "several-heads", "unknown-revision", "unversioned",
            ],
            states.Select(state => state.Name).Order(StringComparer.Ordinal));
        var types = typeof(DatabaseState).GetNestedTypes(BindingFlags.NonPublic).Where(type => type.IsSubclassOf(typeof(DatabaseState)));
        Assert.Empty(types.Except(states.Select(state => state.GetType())));
        var words = states.ConvertAll(state => StateText.Describe(state, "uvlhubdb"));
        Assert.All(words, Assert.NotEmpty);
        Assert.Equal(words.Count, words.Distinct(StringComparer.Ordinal).Count());
        var ofDatabase = states.Zip(words).Where(state => state.First is not DatabaseState.UnusableHistory);
        Assert.All(ofDatabase, state => Assert.Contains("uvlhubdb", state.Second, StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private DatabaseState Of(string tables, string revisions, RunPhase? open) => DatabaseState.Of(
        Facts(tables, revisions), History(_folder.Path), open is null ? null : Run(open.Value));

    // None of these files needs Alembic to read it.
    internal static CheckoutHistory History(string folder)
    {
        var reading = CheckoutHistory.ReadAsync(
            new RevisionReader(folder, (_, _) => throw new NotSupportedException("Alembic is asked")), CancellationToken.None);
        return reading.IsCompleted ? reading.Result : throw new NotSupportedException("something is waited for");
    }

    private static DatabaseFacts Facts(string tables, string revisions) => new()
    {
        Tables = tables.Split(',', StringSplitOptions.RemoveEmptyEntries),
        HasVersionTable = true,
        Revisions = revisions.Split(',', StringSplitOptions.RemoveEmptyEntries),
    };

    internal static MigrationRun Run(RunPhase phase, int id = 1, string to = "002") => new()
    {
        Id = id,
        Verb = "migrate",
        From = "001",
        To = to,
        Started = DateTimeOffset.UnixEpoch,
        Phase = phase,
        Undo = RunUndo.Restore,
        Snapshot = "s",
        Process = "here:1",
    };

    private void Write(string id, string? parent) =>
        _folder.Write($"{id}.py", $"revision = '{id}'\ndown_revision = {(parent is null ? "None" : $"'{parent}'")}\n");
}
