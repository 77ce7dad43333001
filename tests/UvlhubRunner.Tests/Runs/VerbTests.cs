using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

public sealed class VerbTests(MariaDBFixture fixture)
{
    [Fact(Timeout = 300_000)]
    public async Task Switching_branches_there_and_back_loses_no_row()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();

        // A branch adds a revision, and works with it.
        minihub.WriteRevision("cafe0005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        var plan = (await minihub.SucceedAsync("plan")).Answer;
        Assert.Contains("run cafe0005", plan, StringComparison.Ordinal);
        var sql = (await minihub.SucceedAsync("plan", "--sql")).Answer;
        Assert.Contains("ALTER TABLE user ADD COLUMN nickname VARCHAR(50)", sql, StringComparison.Ordinal);
        Assert.Equal("004", await minihub.RevisionAsync());
        var main = await minihub.ContentAsync();
        await minihub.SucceedAsync();
        await minihub.ExecuteAsync("UPDATE user SET nickname = 'n'");
        var branch = await minihub.ContentAsync();

        // Back on the main branch: the journal knows the way, a snapshot of before is offered, and does what it says.
        minihub.DeleteRevision("cafe0005");
        var refused = await minihub.RunAsync();
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("it was migrated to it on", refused.Output, StringComparison.Ordinal);
        var snapshot = (await minihub.StatusAsync())["runs"]![0]!["snapshot"]!.GetValue<string>();
        Assert.Contains($"-- restore {snapshot} ", refused.Output, StringComparison.Ordinal);
        await minihub.SucceedAsync("restore", snapshot);
        Assert.Equal(main, await minihub.ContentAsync());
        Assert.Equal("at-head", await minihub.StateAsync());

        // And on the branch again: what was there has been dumped by the restore.
        minihub.WriteRevision("cafe0005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        var listed = (await minihub.StatusAsync())["snapshots"]!.AsArray();
        var dumped = listed.Single(entry => entry!["reason"]!.GetValue<string>() == $"before {snapshot} was restored")!["name"]!
            .GetValue<string>();
        await minihub.SucceedAsync("restore", dumped);
        Assert.Equal(branch, await minihub.ContentAsync());
        Assert.Equal("at-head", await minihub.StateAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task Reset_needs_a_yes_dumps_first_and_ends_at_the_head_with_fresh_rows()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        await minihub.ExecuteAsync(
            "INSERT INTO user (email, password_hash, created_at) VALUES ('mine@example.com', '', NOW()); CREATE TABLE other_branch (id "
            + "INT)");
        var before = await minihub.ContentAsync();

        var unconfirmed = await minihub.RunAsync("reset");
        Assert.Equal(3, unconfirmed.ExitCode);
        Assert.Contains("reset --yes", unconfirmed.Output, StringComparison.Ordinal);
        Assert.Equal(before, await minihub.ContentAsync());

        await minihub.SucceedAsync("reset", "--yes");
        Assert.Equal("at-head", await minihub.StateAsync());
        Assert.Equal("0", await minihub.TextAsync("SELECT COUNT(*) FROM user WHERE email = 'mine@example.com'"));
        Assert.NotEqual("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));

        var dumped = (await minihub.StatusAsync())["snapshots"]!.AsArray()
            .Single(entry => entry!["reason"]!.GetValue<string>() == "before a reset")!;
        await minihub.SucceedAsync("restore", dumped["name"]!.GetValue<string>());
        Assert.Equal(before, await minihub.ContentAsync());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_snapshot_that_does_not_exist_is_answered_with_those_that_do()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.ExecuteAsync("CREATE TABLE t (id INT)");
        var name = (await minihub.SucceedAsync("backup")).Answer.Trim();

        var result = await minihub.RunAsync("restore", "yesterday");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("There is no snapshot 'yesterday'", result.Output, StringComparison.Ordinal);
        Assert.Contains(name, result.Output, StringComparison.Ordinal);
        Assert.Contains(name, (await minihub.SucceedAsync("snapshots")).Answer, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task Names_with_quotes_spaces_unicode_and_wildcards_work_all_the_way()
    {
        const string hostile = "uv`l\"h'u b%_ñ☃\\";
        await using var minihub = await Minihub.CreateAsync(fixture, name: hostile, user: "o'r\"e`i l%l_y ñ");
        await minihub.StartToolboxAsync();

        await minihub.SucceedAsync();
        minihub.WriteRevision(
            "005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))", "raise ValueError('after the DDL')");
        var before = await minihub.ContentAsync();
        Assert.Equal(5, (await minihub.RunAsync()).ExitCode);
        Assert.Equal(before, await minihub.ContentAsync());

        minihub.WriteRevision("005", "004", "op.add_column('user', sa.Column('nickname', sa.String(50)))");
        await minihub.SucceedAsync();
        Assert.Equal("at-head", await minihub.StateAsync());
        await minihub.SucceedAsync("reset", "--yes");
        Assert.Equal("005", await minihub.RevisionAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_checkout_without_migrations_gets_them_only_when_a_setting_asks_for_it()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        Directory.Delete(Path.Combine(minihub.Checkout, "migrations"), recursive: true);

        await minihub.SucceedAsync("--Uvlhub:Migrator:InitializeMigrations=true");

        Assert.Single(Directory.GetFiles(minihub.Versions, "*.py"));
        Assert.Equal("at-head", await minihub.StateAsync());
        Assert.NotEqual("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));
    }
}
