using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

public sealed class UnversionedTests(MariaDBFixture fixture)
{
    [Fact(Timeout = 300_000)]
    public async Task Tables_without_a_revision_get_the_heads_only_if_they_are_its_tables()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();

        // As a first migration leaves it that broke off: Alembic's table is there, without a row, and something is missing.
        await minihub.ExecuteAsync(
            "DELETE FROM alembic_version; ALTER TABLE user_profile DROP COLUMN affiliation; DROP TABLE download; CREATE TABLE stray (id "
            + "INT); ALTER TABLE user MODIFY email VARCHAR(255) COLLATE utf8mb4_bin NOT NULL; ALTER TABLE user_profile DROP FOREIGN "
            + "KEY fk_user_profile_user_id_user; ALTER TABLE user_profile ENGINE=Aria");
        Assert.Equal("unversioned", await minihub.StateAsync());
        var before = await minihub.ContentAsync();

        var refused = await minihub.RunAsync();

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("table download is missing", refused.Output, StringComparison.Ordinal);
        Assert.Contains("table stray is not in the checkout's migrations", refused.Output, StringComparison.Ordinal);
        Assert.Contains("column user_profile.affiliation (varchar(100) ", refused.Output, StringComparison.Ordinal);
        Assert.Contains("column user.email is varchar(255) utf8mb4_bin NOT NULL, it should be ", refused.Output, StringComparison.Ordinal);
        Assert.Contains("user_profile: engine Aria is not in the checkout's migrations", refused.Output, StringComparison.Ordinal);
        Assert.Equal(before, await minihub.ContentAsync());

        // Put right by hand, with other names and another order than the migration's: nothing depends on those.
        await minihub.ExecuteAsync(
            """
            DROP TABLE stray;
            ALTER TABLE user MODIFY email VARCHAR(255) NOT NULL;
            ALTER TABLE user_profile ENGINE=InnoDB, ADD CONSTRAINT some FOREIGN KEY (user_id) REFERENCES user (id);
            ALTER TABLE user_profile ADD COLUMN affiliation VARCHAR(100) AFTER id;
            CREATE TABLE download (
                id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, feature_model_id INT NOT NULL, user_id INT, downloaded_at DATETIME NOT NULL,
                CONSTRAINT some_name FOREIGN KEY (feature_model_id) REFERENCES feature_model (id), CONSTRAINT other_name FOREIGN KEY (user_id) REFERENCES user (id));
            DROP TABLE alembic_version;
            """);

        var mended = await minihub.ContentAsync();

        var stamped = await minihub.SucceedAsync();

        Assert.Contains("it now has that revision", stamped.Output, StringComparison.Ordinal);
        Assert.Equal("004", await minihub.RevisionAsync());
        await minihub.ExecuteAsync("DROP TABLE alembic_version");
        Assert.Equal(mended, await minihub.ContentAsync());
        await minihub.SucceedAsync();
        Assert.Equal(
            "0",
            await minihub.TextAsync("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'uvlhub\\_runner\\_check%'"));
        Assert.Equal("at-head", await minihub.StateAsync());
    }
}
