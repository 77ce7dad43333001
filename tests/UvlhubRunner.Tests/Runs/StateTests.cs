using System.Text.RegularExpressions;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>The states in which nothing is upgraded: what is said, and that nothing is changed. No Python runs but where it says so.</summary>
public sealed class StateTests(MariaDBFixture fixture)
{
    private const string Same = "every row and the schema are compared: as before";

    [Fault(FaultArea.Migration, "the database is at a revision that the checkout does not have")]
    [Fact(Timeout = 120_000)]
    public async Task A_revision_that_the_checkout_does_not_have_is_named_with_the_ways_out()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await StampAsync(minihub, "004");
        var snapshot = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await StampAsync(minihub, "feedc0ffee");
        Assert.Equal("unknown-revision", await minihub.StateAsync());
        var before = await minihub.ContentAsync();

        var result = await minihub.RunAsync();

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("[unknown-revision]", result.Output, StringComparison.Ordinal);
        Proof.Reads("is at revision 'feedc0ffee'", result.Output);
        Proof.Happens("refused with the three ways out", () =>
        {
            Assert.Contains("git log --all --oneline -S feedc0ffee -- migrations", result.Output, StringComparison.Ordinal);
            Assert.Contains($"-- restore {snapshot} ", result.Output, StringComparison.Ordinal);
            Assert.Contains("-- reset --yes ", result.Output, StringComparison.Ordinal);
        });
        Proof.Data(Same, before, await minihub.ContentAsync());
    }

    [Fault(FaultArea.Migration, "the checkout's revisions have several heads")]
    [Fact(Timeout = 120_000)]
    public async Task Several_heads_are_named_with_their_files_and_the_line_that_joins_them()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await StampAsync(minihub, "003");
        var before = await minihub.ContentAsync();
        minihub.WriteRevision("005a", "004", "pass");
        minihub.WriteRevision("005b", "004", "pass");
        Assert.Equal("several-heads", await minihub.StateAsync());

        var result = await minihub.RunAsync();

        Assert.Equal(3, result.ExitCode);
        Proof.Happens("refused with both files and the command that joins them", () =>
        {
            Assert.Contains("005a.py", result.Output, StringComparison.Ordinal);
            Assert.Contains("005b.py", result.Output, StringComparison.Ordinal);
            Assert.Contains("flask db merge -m \"merge heads\" 005a 005b", result.Output, StringComparison.Ordinal);
        });
        Proof.Reads("flask db merge -m \"merge heads\" 005a 005b", result.Output);
        Proof.Data(Same, before, await minihub.ContentAsync());
    }

    [Fault(FaultArea.Migration, "the checkout's revisions are broken")]
    [Theory(Timeout = 120_000)]
    [InlineData("revision = 'a'\ndown_revision = 'b'\n", "revision = 'b'\ndown_revision = 'a'\n", "comes back to itself")]
    [InlineData("revision = 'a'\ndown_revision = 'lost'\n", null, "follows the revision 'lost'")]
    [InlineData("revision = '004'\ndown_revision = '003'\n", null, "the revision '004' is already in")]
    [InlineData("revision = '005'\n\n\ndown_revision = ('004'\n", null, "broken.py:4: '(' was never closed")]
    public async Task A_broken_history_is_refused_with_file_and_reason(string first, string? second, string reason)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        // For the one file of which Python has to tell.
        await using var toolbox = await minihub.StartToolboxAsync();
        await StampAsync(minihub, "003");
        var before = await minihub.ContentAsync();
        await File.WriteAllTextAsync(Path.Combine(minihub.Versions, "broken.py"), first, TestContext.Current.CancellationToken);
        if (second is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(minihub.Versions, "broken2.py"), second, TestContext.Current.CancellationToken);
        }

        var result = await minihub.RunAsync();

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("[broken-history]", result.Output, StringComparison.Ordinal);
        Proof.Reads(reason, result.Output);
        Proof.Happens("refused with file and reason", () =>
        {
            Assert.Contains(minihub.Versions, result.Output, StringComparison.Ordinal);
            Assert.Contains("broken", result.Output.Replace("[broken-history]", "", StringComparison.Ordinal), StringComparison.Ordinal);
        });
        Proof.Data(Same, before, await minihub.ContentAsync());
        Assert.Equal("broken-history", await minihub.StateAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_checkout_without_migrations_is_refused_and_told_of_the_setting()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        Directory.Delete(Path.Combine(minihub.Checkout, "migrations"), recursive: true);
        Assert.Equal("no-migrations-folder", await minihub.StateAsync());

        var result = await minihub.RunAsync();

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("--Uvlhub:Migrator:InitializeMigrations=true", result.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(minihub.Checkout, "migrations")));
    }

    [Fault(FaultArea.Migration, "the container that runs Flask is missing")]
    [Fact(Timeout = 120_000)]
    public async Task Without_a_toolbox_an_upgrade_is_not_begun_and_its_absence_is_said_at_once()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        var before = await minihub.ContentAsync();
        minihub.Settings.Remove("ConnectionStrings__db");
        minihub.Settings.Remove("ConnectionStrings__uvlhubdb");
        minihub.Settings["Uvlhub__Ports__Database"] = minihub.Database.HostPort.ToString(System.Globalization.CultureInfo.InvariantCulture);

        var result = await minihub.RunAsync();

        Assert.Equal(4, result.ExitCode);
        Proof.Reads($"There is no container {minihub.ToolboxName}", result.Output);
        Proof.Happens("said, with the command that starts it, and nothing is begun", () =>
        {
            Assert.Contains("Start it with './run'", result.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("Running '", result.Output, StringComparison.Ordinal);
        });
        Proof.Data(Same, before, await minihub.ContentAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task From_a_shell_the_checkout_says_where_its_database_is()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        minihub.Settings.Remove("ConnectionStrings__db");
        minihub.Settings.Remove("ConnectionStrings__uvlhubdb");
        // The port is any free one, so the engine is asked for it.
        minihub.Settings["Uvlhub__Ports__Database"] = "0";

        Assert.Equal(minihub.Database.Name, (await minihub.StatusAsync())["database"]!.GetValue<string>());
    }

    [Fact(Timeout = 120_000)]
    public async Task Without_an_upgrade_no_snapshot_is_deleted_or_made()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await StampAsync(minihub, "004");

        await minihub.SucceedAsync();

        Assert.Contains("There is no snapshot", (await minihub.SucceedAsync("snapshots")).Answer, StringComparison.Ordinal);
        Assert.Empty((await minihub.StatusAsync())["runs"]!.AsArray());
    }

    [Fault(FaultArea.Migration, "no snapshot can be made")]
    [Fact(Timeout = 120_000)]
    public async Task A_snapshot_that_cannot_be_made_keeps_the_upgrade_from_beginning()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        await StampAsync(minihub, "003");
        var before = await minihub.ContentAsync();
        // A file is where the folder should be.
        minihub.Settings["Uvlhub__Snapshots__Path"] = Path.Combine(minihub.Checkout, ".env");

        var result = await minihub.RunAsync();

        Assert.Equal(3, result.ExitCode);
        Proof.Reads("No snapshot was made, so nothing was changed", result.Output);
        Proof.Happens(
            "the migration does not begin",
            () => Assert.DoesNotContain("Running 'flask", result.Output, StringComparison.Ordinal));
        Proof.Data(Same, before, await minihub.ContentAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task Status_tells_in_words_what_migrate_will_do()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await StampAsync(minihub, "003");

        var status = (await minihub.SucceedAsync("status")).Answer;

        Assert.Matches(new Regex(@"State\s+behind"), status);
        Assert.Contains(
            "is at revision 003; 1 newer revision of the checkout has not run, up to 004 (Numbers of features and constraints, kept "
            + "beside the text).",
            status, StringComparison.Ordinal);
        Assert.Contains("1. take a snapshot", status, StringComparison.Ordinal);
        Assert.Contains("2. run 004", status, StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_mistake_in_a_setting_names_the_setting()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);

        var malformed = await minihub.RunAsync("--Uvlhub:Migrator:ConnectTimeout=soon");
        Assert.Equal(2, malformed.ExitCode);
        Assert.Contains(
            "Uvlhub:Migrator:ConnectTimeout must be a time such as 00:05:00", malformed.Output, StringComparison.Ordinal);

        minihub.Settings["Uvlhub__Snapshots__Kep"] = "3";
        var misspelt = await minihub.RunAsync("status");
        minihub.Settings.Remove("Uvlhub__Snapshots__Kep");
        Assert.Equal(2, misspelt.ExitCode);
        Assert.Contains(
            "Uvlhub:Snapshots:Kep is not a setting; did you mean Uvlhub:Snapshots:Keep? (the environment variable "
            + "Uvlhub__Snapshots__Kep)",
            misspelt.Output, StringComparison.Ordinal);

        var noCheckout = await minihub.RunAsync("--Uvlhub:Path=/nowhere");
        Assert.Equal(2, noCheckout.ExitCode);
        Assert.Contains("there is no folder /nowhere", noCheckout.Output, StringComparison.Ordinal);

        var twice = await minihub.RunAsync("restore", "one", "one");
        Assert.Equal(2, twice.ExitCode);
        Assert.Contains("'one'", twice.Output, StringComparison.Ordinal);

        var noVerb = await minihub.RunAsync("upgrade");
        Assert.Equal(2, noVerb.ExitCode);
        Assert.Contains("'upgrade'", noVerb.Output, StringComparison.Ordinal);
    }

    // A database at a revision, without the Python that would bring it there.
    private static Task StampAsync(Minihub minihub, string revision) => minihub.ExecuteAsync(
        $"""
        CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
        CREATE TABLE IF NOT EXISTS user (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(255) NOT NULL);
        INSERT INTO user (email) VALUES ('one@example.com');
        DELETE FROM alembic_version;
        INSERT INTO alembic_version VALUES ('{revision}');
        """);
}
