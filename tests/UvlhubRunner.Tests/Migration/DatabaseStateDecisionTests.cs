using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Migration;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Migration;

/// <summary>What a state carries, which <see cref="DatabaseStateTests"/> does not look at: the migrator works with it.</summary>
public sealed class DatabaseStateDecisionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DatabaseStateDecisionTests()
    {
        _folder.Write("001.py", "revision = '001'\ndown_revision = None\n");
        _folder.Write("002.py", "revision = '002'\ndown_revision = '001'\n");
        _folder.Write("003.py", "revision = '003'\ndown_revision = '002'\n");
    }

    [Fact]
    public void An_empty_database_gets_all_revisions_in_their_order() =>
        Assert.Equal(["001", "002", "003"], Is<DatabaseState.Empty>([], []).Pending.Select(revision => revision.Id));

    [Fact]
    public void One_without_tables_that_is_at_a_revision_is_not_empty() =>
        Assert.Equal(["003"], Is<DatabaseState.Behind>([], ["002"]).Pending.Select(revision => revision.Id));

    [Fact]
    public void One_that_is_behind_gets_what_is_missing_and_says_whether_it_was_ever_seeded()
    {
        var due = Run(RunPhase.SeedDue);
        var behind = Is<DatabaseState.Behind>(["t"], ["001"], due);
        Assert.Equal(["001"], behind.Current);
        Assert.Equal(["002", "003"], behind.Pending.Select(revision => revision.Id));
        Assert.Same(due, behind.Unseeded);
        Assert.Null(Is<DatabaseState.Behind>(["t"], ["001"]).Unseeded);
    }

    [Fact]
    public void One_at_the_head_names_it_and_the_run_that_did_not_seed_it()
    {
        var due = Run(RunPhase.SeedDue);
        Assert.Equal("003", Is<DatabaseState.AtHead>(["t"], ["003"]).Head.Id);
        var state = Is<DatabaseState.SeedDue>(["t"], ["003"], due);
        Assert.Equal("003", state.Head.Id);
        Assert.Same(due, state.Run);
    }

    [Fact]
    public void Of_several_revisions_the_unknown_ones_are_named_and_all_are_kept()
    {
        var state = Is<DatabaseState.UnknownRevision>(["t"], ["001", "abc"]);
        Assert.Equal(["001", "abc"], state.Current);
        Assert.Equal(["abc"], state.Unknown);
    }

    [Fact]
    public void One_without_a_revision_keeps_its_tables() =>
        Assert.Equal(["t", "u"], Is<DatabaseState.Unversioned>(["t", "u"], []).Tables);

    [Fact]
    public void A_run_that_was_killed_comes_before_a_history_that_is_broken()
    {
        var killed = Run(RunPhase.Changing);
        _folder.Write("004.py", "revision = '004'\ndown_revision = 'lost'\n");
        Assert.Same(killed, Is<DatabaseState.Interrupted>(["t"], ["001"], killed).Run);
        Assert.Equal("broken-history", Is<DatabaseState.UnusableHistory>(["t"], ["001"]).Problem.State);
    }

    public void Dispose() => _folder.Dispose();

    private T Is<T>(string[] tables, string[] revisions, MigrationRun? open = null)
        where T : DatabaseState =>
        Assert.IsType<T>(DatabaseState.Of(
            new DatabaseFacts { Tables = tables, HasVersionTable = true, Revisions = revisions }, DatabaseStateTests.History(_folder.Path),
            open));

    private static MigrationRun Run(RunPhase phase) => DatabaseStateTests.Run(phase, id: 7, to: "003");
}
