using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>Upgrades of a database with rows: one that succeeds, and the ways in which one does not.</summary>
public sealed class UpgradeTests(UpgradeTests.Site site) : IClassFixture<UpgradeTests.Site>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Minihub Minihub => site.Minihub;

    [Fact(Timeout = 300_000)]
    public async Task A_database_behind_the_head_is_upgraded_with_its_rows_and_a_snapshot_is_kept()
    {
        await site.ToHeadAsync();
        await Minihub.ExecuteAsync("INSERT INTO user (email, password_hash, created_at) VALUES ('newcomer@example.com', '', NOW())");
        var before = await Minihub.ContentAsync();
        Minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        Assert.Equal("behind", await Minihub.StateAsync());

        var result = await Minihub.SucceedAsync();

        Assert.Equal("005", await Minihub.RevisionAsync());
        var upgraded = await Minihub.ContentAsync();
        var run = (await Minihub.StatusAsync())["runs"]![0]!;
        Assert.Equal(
            ("004", "005", "succeeded"),
            (run["from"]!.GetValue<string>(), run["to"]!.GetValue<string>(), run["result"]!.GetValue<string>()));
        var snapshot = run["snapshot"]!.GetValue<string>();
        Assert.Contains($"Snapshot {snapshot} in {Minihub.Snapshots}", result.Output, StringComparison.Ordinal);

        // Nothing is changed but what the revision says: a column that is empty everywhere.
        await Minihub.ExecuteAsync("ALTER TABLE user DROP COLUMN nickname; UPDATE alembic_version SET version_num = '004'");
        Assert.NotEqual(before, upgraded);
        Assert.Equal(before, await Minihub.ContentAsync());
        await Minihub.ExecuteAsync("DELETE FROM download");
        Minihub.DeleteRevision("005");
        await Minihub.SucceedAsync("restore", snapshot);
        Assert.Equal(before, await Minihub.ContentAsync());
    }

    [Fault(FaultArea.Migration, "a revision fails half-way")]
    [Fact(Timeout = 300_000)]
    public async Task A_revision_that_fails_half_way_leaves_the_database_as_it_was_and_its_error_is_shown()
    {
        await site.ToHeadAsync();
        var before = await Minihub.ContentAsync();
        Minihub.WriteRevision(
            "005",
            "004",
            "op.add_column('user', sa.Column('nickname', sa.String(50)))",
            "op.execute('UPDATE user SET email = CONCAT(email, id)')",
            "op.create_table('user', sa.Column('id', sa.Integer()))");

        var result = await Minihub.RunAsync();

        Assert.Equal(5, result.ExitCode);
        Proof.Reads($"'flask db upgrade' failed in revision 005 (", result.Output);
        Proof.Happens(
            "its error is shown",
            () => Assert.Contains("(1050, \"Table 'user' already exists\") [SQL:", result.Output, StringComparison.Ordinal));
        Proof.Happens(
            "and everything is put back",
            () => Assert.Contains("was restored and verified", result.Output, StringComparison.Ordinal));
        Proof.Data("every row and the schema are compared: as before", before, await Minihub.ContentAsync());
        Assert.Equal("failed", (await Minihub.StatusAsync())["runs"]![0]!["result"]!.GetValue<string>());

        // Mended, it runs; and the snapshot of the first attempt served the second one.
        Minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        var mended = await Minihub.SucceedAsync();
        Assert.Contains("holds exactly what is in the database", mended.Output, StringComparison.Ordinal);
    }

    [Fault(FaultArea.Migration, "Python cannot load a revision")]
    [Fact(Timeout = 300_000)]
    public async Task A_revision_that_python_cannot_load_changes_nothing()
    {
        await site.ToHeadAsync();
        var before = await Minihub.ContentAsync();
        Minihub.WriteRevision("005", "004", "op.execute('SELECT 1'");

        var result = await Minihub.RunAsync();

        Assert.Equal(5, result.ExitCode);
        Proof.Happens(
            "its error is shown, with file and line",
            () => Assert.Contains("SyntaxError: '(' was never closed (005.py, line 14)", result.Output, StringComparison.Ordinal));
        Proof.Reads("SyntaxError: '(' was never closed (005.py", result.Output);
        Proof.Happens(
            "and that nothing was changed",
            () => Assert.Contains("exactly as it was before", result.Output, StringComparison.Ordinal));
        Proof.Data("every row and the schema are compared: as before", before, await Minihub.ContentAsync());
    }

    [Fault(FaultArea.Checkout, "the application needs a key that no file of the checkout has")]
    [Fact(Timeout = 300_000)]
    public async Task A_key_that_the_application_lacks_is_named_with_its_file_and_the_line_that_reads_it()
    {
        await site.ToHeadAsync();
        var before = await Minihub.ContentAsync();
        Minihub.WriteRevision("005", "004", "pass");
        var application = Path.Combine(Minihub.Checkout, "app", "__init__.py");
        var code = await File.ReadAllTextAsync(application, Cancellation);
        try
        {
            await File.WriteAllTextAsync(application, "import os\nos.environ['MAIL_KEY']\n" + code, Cancellation);
            var result = await Minihub.RunAsync();

            Assert.Equal(5, result.ExitCode);
            Proof.Happens("the key, the line that reads it and the file to put it into", () => Assert.Contains(
                $"KeyError: 'MAIL_KEY': the checkout's settings have no MAIL_KEY, which /app/app/__init__.py:2 reads. Put MAIL_KEY=… into "
                + Path.Combine(Minihub.Checkout, ".env"), result.Output, StringComparison.Ordinal));
            Proof.Reads("the checkout's settings have no MAIL_KEY", result.Output);
            Proof.Data("every row and the schema are compared: as before", before, await Minihub.ContentAsync());
        }
        finally
        {
            await File.WriteAllTextAsync(application, code, Cancellation);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_revision_of_which_only_Python_can_tell_is_planned_and_run_like_any_other()
    {
        await site.ToHeadAsync();
        Minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        var file = Path.Combine(Minihub.Versions, "005.py");
        var text = await File.ReadAllTextAsync(file, Cancellation);
        await File.WriteAllTextAsync(
            file,
            text.Replace("revision = \"005\"", "print('loading')\nrevision = f\"{5:03}\"", StringComparison.Ordinal)
                .Replace("down_revision = \"004\"", "down_revision = [\"004\"]", StringComparison.Ordinal),
            Cancellation);

        Assert.Equal(["005"], (await Minihub.StatusAsync())["pending"]!.AsArray().Select(pending => pending!.GetValue<string>()));
        Assert.Contains("2. run 005 (revision 005 of a test)  005.py", (await Minihub.SucceedAsync("plan")).Answer, StringComparison.Ordinal);
        Assert.Contains("ADD COLUMN nickname", (await Minihub.SucceedAsync("plan", "--sql")).Answer, StringComparison.Ordinal);

        await Minihub.SucceedAsync();

        Assert.Equal("005", await Minihub.RevisionAsync());
        Assert.Contains("nothing to do", (await Minihub.SucceedAsync()).Output, StringComparison.Ordinal);
    }

    /// <summary>One migrated copy for all tests of the class; each begins by putting it back.</summary>
    public sealed class Site(MariaDBFixture fixture) : IAsyncLifetime
    {
        private string? _head;

        internal Minihub Minihub { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Minihub = await Minihub.CreateAsync(fixture);
            await Minihub.StartToolboxAsync();
            await Minihub.SucceedAsync();
            _head = (await Minihub.RunAsync("backup")).Answer.Trim();
        }

        internal async Task ToHeadAsync()
        {
            Minihub.DeleteRevision("005");
            if (await Minihub.StateAsync() != "at-head")
            {
                await Minihub.SucceedAsync("restore", _head!);
            }

            Assert.Equal("at-head", await Minihub.StateAsync());
        }

        public async ValueTask DisposeAsync() => await Minihub.DisposeAsync();
    }
}
