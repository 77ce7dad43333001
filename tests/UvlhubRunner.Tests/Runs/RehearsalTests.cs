using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Revisions run on a copy first, and what they would take away is counted before.</summary>
public sealed class RehearsalTests(MariaDBFixture fixture)
{
    private const string Untouched = "every row and the schema are compared: as before";
    private const string Scratch = "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'uvlhub\\_runner\\_rehearsal%'";
    private const string Accounts = "SELECT COUNT(*) FROM mysql.global_priv WHERE User LIKE 'uvlhub\\_runner\\_%'";

    [Fault(FaultArea.Migration, "a revision fails in its rehearsal")]
    [Fact(Timeout = 300_000)]
    public async Task What_fails_on_the_copy_changes_nothing_and_says_revision_statement_and_error()
    {
        await using var minihub = await MigratedAsync();
        minihub.WriteRevision(
            "005", "004", "op.execute('DELETE FROM download')", "op.add_column('user', sa.Column('nickname', sa.String(50)))",
            "op.create_table('user', sa.Column('id', sa.Integer()))");
        var before = await minihub.ContentAsync();
        await using var visitors = Visitors.Start(minihub);

        var result = await minihub.RunAsync();
        var acknowledged = visitors.Acknowledged();
        Assert.Empty(await visitors.EndAsync());

        Assert.Equal(5, result.ExitCode);
        Proof.Reads("Rehearsed on a copy of", result.Output);
        Proof.Happens("with the revision, its statement and the error", () =>
        {
            Assert.Contains("'flask db upgrade' failed in revision 005 (", result.Output, StringComparison.Ordinal);
            Assert.Contains("(1050, \"Table 'user' already exists\") [SQL:", result.Output, StringComparison.Ordinal);
        });
        Proof.Happens("nobody is locked out", () =>
        {
            Assert.DoesNotContain("is locked out", result.Output, StringComparison.Ordinal);
            Assert.InRange(acknowledged, 5, int.MaxValue);
        });
        await minihub.ExecuteAsync("DELETE FROM user WHERE email LIKE 'visitor-%'");
        Proof.Data(Untouched, WithoutCounters(before), WithoutCounters(await minihub.ContentAsync()));
        Assert.Equal(("0", "0"), (await minihub.TextAsync(Scratch), await minihub.TextAsync(Accounts)));
        Assert.Equal("behind", await minihub.StateAsync());
    }

    [Fault(FaultArea.Migration, "a revision names the database instead of taking it from its connection")]
    [Fact(Timeout = 300_000)]
    public async Task A_revision_that_names_the_live_database_cannot_reach_it_from_the_copy()
    {
        await using var minihub = await MigratedAsync();
        minihub.WriteRevision("005", "004", $"op.execute('DROP TABLE {minihub.Database.Name}.download')");
        var before = await minihub.ContentAsync();

        var result = await minihub.RunAsync();

        Proof.Happens("refused by MariaDB, in the rehearsal", () => Assert.Equal(5, result.ExitCode));
        Proof.Reads("DROP command denied to user 'uvlhub_runner_rehearsal_", result.Output);
        Proof.Data(Untouched, before, await minihub.ContentAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task What_has_passed_runs_and_is_not_rehearsed_twice()
    {
        await using var minihub = await MigratedAsync();
        await minihub.ExecuteAsync("CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO INSERT INTO nowhere VALUES (1)");
        minihub.WriteRevision("005", "004", "op.execute(\"UPDATE user SET email = CONCAT('x', email)\")");

        var planned = await minihub.SucceedAsync("plan", "--rehearse");
        Assert.Contains("The rehearsal passed in", planned.Output, StringComparison.Ordinal);
        Assert.Equal("behind", await minihub.StateAsync());
        var migrated = await minihub.SucceedAsync();

        Assert.Contains("have passed a rehearsal", migrated.Output, StringComparison.Ordinal);
        Assert.Equal("005", await minihub.RevisionAsync());
        Assert.Equal(("0", "0"), (await minihub.TextAsync(Scratch), await minihub.TextAsync(Accounts)));

        // Another revision is another matter.
        minihub.WriteRevision("006", "005", "op.execute(\"UPDATE user SET email = CONCAT('x', email)\")");
        Assert.Contains("The rehearsal passed in", (await minihub.SucceedAsync()).Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_plan_that_is_rehearsed_says_what_each_revision_does_to_the_rows()
    {
        await using var minihub = await MigratedAsync();
        await minihub.ExecuteAsync(
            "CREATE TABLE a (id INT PRIMARY KEY, v INT); INSERT INTO a VALUES (1, 1), (2, 2), (3, 3); CREATE TABLE b LIKE a; "
            + "INSERT INTO b SELECT * FROM a; CREATE TABLE c LIKE a; INSERT INTO c VALUES (1, 1); CREATE TABLE d LIKE a");
        minihub.WriteRevision(
            "005", "004", "op.execute('DELETE FROM a WHERE id > 1')", "op.execute('INSERT INTO b VALUES (4, 4)')",
            "op.execute('UPDATE c SET v = 2')", "op.create_table('e', sa.Column('id', sa.Integer()))");
        minihub.WriteRevision("006", "005", "op.add_column('b', sa.Column('w', sa.Integer()))", "op.drop_table('c')", "op.drop_table('d')");
        minihub.WriteRevision("007", "006", "pass");
        var before = await minihub.ContentAsync();

        var lines = (await minihub.SucceedAsync("plan", "--rehearse")).Answer.Split('\n');

        Assert.Contains("On a copy, with rows counted before and after each revision:", lines);
        Assert.Equal(
            [
                "a: 2 rows fewer than 3; b: 1 row more than 3; c: 1 row, with other values",
                "b: 4 rows, in other columns or keys; c is dropped with 1 row",
                "no row is another one",
            ],
            lines.Where(line => line.StartsWith("  00", StringComparison.Ordinal) && line.Contains(" s)", StringComparison.Ordinal))
                .Select(line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..line.LastIndexOf(" (", StringComparison.Ordinal)]));
        Assert.Equal(before, await minihub.ContentAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task In_development_what_only_adds_is_not_rehearsed_and_in_production_it_is()
    {
        await using var minihub = await MigratedAsync();
        minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        var development = await minihub.SucceedAsync();
        Assert.DoesNotContain("Rehears", development.Output, StringComparison.OrdinalIgnoreCase);

        var file = Path.Combine(minihub.Checkout, ".env");
        await File.WriteAllTextAsync(
            file,
            (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Replace(
                "FLASK_ENV=development", "FLASK_ENV=production", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        minihub.WriteRevision("006", "005", "op.add_column('user', sa.Column('other', sa.String(50)))");
        Assert.Contains("The rehearsal passed in", (await minihub.SucceedAsync()).Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task What_the_rows_stand_in_the_way_of_is_counted_with_file_and_line()
    {
        await using var minihub = await MigratedAsync();
        await minihub.ExecuteAsync(
            """
            CREATE TABLE things (id INT PRIMARY KEY, name VARCHAR(50), kind INT, parent INT, KEY ix_parent (parent),
                CONSTRAINT fk_parent FOREIGN KEY (parent) REFERENCES things (id));
            INSERT INTO things VALUES (1, 'long', 1, NULL), (2, 'a', 1, NULL), (3, NULL, 40000, 1);
            """);
        minihub.WriteRevision(
            "005",
            "004",
            "op.add_column('things', sa.Column('must', sa.Integer(), nullable=False))",
            "op.alter_column('things', 'name', existing_type=sa.String(50), type_=sa.String(length=3), nullable=False)",
            "op.create_unique_constraint('u', 'things', ['kind'])",
            "with op.batch_alter_table('things') as batch_op:",
            "    batch_op.alter_column('kind', type_=sa.SmallInteger())",
            "    batch_op.drop_column('name')",
            "op.drop_index('ix_parent', table_name='things')",
            "op.execute('UPDATE things SET kind = 2')",
            "op.drop_table('things')");

        var plan = (await minihub.SucceedAsync("plan")).Answer;

        Assert.Equal(
            [
                "14: adds things.must as NOT NULL without a server_default, and the table has 3 rows",
                "15: makes things.name NOT NULL, and it is NULL in 1 row",
                "15: narrows things.name to 3 characters, and it is longer in 1 row",
                "16: makes things (kind) unique, and a value occurs more than once in 2 rows",
                "18: narrows things.kind to sa.SmallInteger(), and it is out of its range in 1 row",
                "19: drops things.name, which has a value in 2 rows",
                "20: drops the index ix_parent, which the foreign key fk_parent needs: MariaDB refuses that (1553)",
                "22: drops the table things, which has 3 rows",
                "21: changes rows in a revision that changes the schema too: if it fails afterwards, MariaDB takes neither back by itself",
            ],
            plan.Split('\n').Where(line => line.StartsWith("  ! ", StringComparison.Ordinal))
                .Select(line => line[(line.IndexOf(".py:", StringComparison.Ordinal) + 4)..].TrimEnd()));

        // The migrator says the same, before it begins.
        var migrated = await minihub.RunAsync();
        Assert.Contains(
            $"warning: {Path.Combine(minihub.Versions, "005.py")}:14: adds things.must", migrated.Output, StringComparison.Ordinal);
    }

    private async Task<Minihub> MigratedAsync()
    {
        var minihub = await Minihub.CreateAsync(fixture);
        minihub.Settings.Remove("Uvlhub__Migrator__Rehearse");
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        return minihub;
    }

    // The numbers that visitors' rows have used up do not come back.
    private static IEnumerable<string> WithoutCounters(IReadOnlyList<string> content) =>
        content.Where(line => !line.StartsWith("user: TABLES ", StringComparison.Ordinal));
}
