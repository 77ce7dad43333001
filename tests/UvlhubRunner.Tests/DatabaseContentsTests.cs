using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests;

/// <summary>What the other tests take for proof that nothing was changed must see every change, and say where it is.</summary>
public sealed class DatabaseContentsTests(MariaDBFixture fixture)
{
    private const string Schema = """
        CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT, word VARCHAR(20) DEFAULT 'a', n FLOAT, choice ENUM('', 'x'), raw BLOB, hidden INT INVISIBLE DEFAULT 1);
        CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent (id), CONSTRAINT small CHECK (id < 100));
        CREATE TABLE versioned (id INT PRIMARY KEY, value INT) WITH SYSTEM VERSIONING;
        CREATE TABLE named (id INT PRIMARY KEY, a TIMESTAMP(6) AS ROW START, b TIMESTAMP(6) AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)) WITH SYSTEM VERSIONING;
        INSERT INTO parent (word, n, choice, raw) VALUES ('one', 16777216, 'x', x'00'), ('two', 1, '', x'01');
        INSERT INTO child VALUES (1, 1); INSERT INTO versioned VALUES (1, 1); INSERT INTO named (id) VALUES (1);
        CREATE SEQUENCE numbers; CREATE VIEW seen AS SELECT id FROM parent;
        CREATE TRIGGER guard BEFORE INSERT ON child FOR EACH ROW SET NEW.id = NEW.id;
        CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
        CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM child;
        """;

    public static TheoryData<string, string> Changes => new()
    {
        { "UPDATE parent SET word = 'two ' WHERE id = 2", "parent" },
        { "UPDATE parent SET n = 16777217 - 2 WHERE id = 1", "parent" },
        { "UPDATE parent SET raw = NULL WHERE id = 1", "parent" },
        { "UPDATE parent SET hidden = 2 WHERE id = 1", "parent" },
        { "SET sql_mode = ''; UPDATE parent SET choice = 'no such' WHERE id = 2", "parent" },
        { "DELETE FROM child", "child" },
        { "ALTER TABLE parent AUTO_INCREMENT = 50", "parent" },
        { "ALTER TABLE parent ADD INDEX (word)", "parent" },
        { "ALTER TABLE parent ALTER word SET DEFAULT 'b'", "parent" },
        { "ALTER TABLE parent MODIFY word VARCHAR(20) CHARACTER SET latin1 DEFAULT 'a'", "parent" },
        { "ALTER TABLE versioned COMMENT = 'other'", "versioned" },
        { "ALTER TABLE child DROP CONSTRAINT small, ADD CONSTRAINT small CHECK (id < 101)", "child" },
        { "ALTER TABLE child DROP FOREIGN KEY fk", "child" },
        { "UPDATE versioned SET value = 2; UPDATE versioned SET value = 1", "versioned" },
        { "UPDATE named SET id = 2; UPDATE named SET id = 1", "named" },
        { "SELECT NEXTVAL(numbers)", "numbers" },
        { "CREATE OR REPLACE VIEW seen AS SELECT word FROM parent", "seen" },
        { "CREATE OR REPLACE TRIGGER guard BEFORE INSERT ON child FOR EACH ROW SET NEW.id = NEW.id + 0", "guard" },
        { "CREATE OR REPLACE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n + n", "twice" },
        { "ALTER EVENT nightly ON SCHEDULE EVERY 2 DAY", "nightly" },
        { "CREATE TABLE another (id INT)", "another" },
        { "DROP VIEW seen", "seen" },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(Changes))]
    public async Task A_change_is_seen_and_named(string change, string name)
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        await database.ExecuteAsync(Schema, Cancellation);
        var before = await DatabaseContents.ReadAsync(database.RootConnectionString);
        Assert.Equal(before, await DatabaseContents.ReadAsync(database.RootConnectionString));

        await database.ExecuteAsync(change, Cancellation);

        var after = await DatabaseContents.ReadAsync(database.RootConnectionString);
        Assert.NotEqual(before, after);
        Assert.All(
            before.Except(after).Concat(after.Except(before)), line => Assert.StartsWith($"{name}: ", line, StringComparison.Ordinal));
        Assert.Contains($"{name}: ", DatabaseContents.Difference(before, after), StringComparison.Ordinal);
    }

    [Fact(Timeout = 120_000)]
    public async Task The_databases_own_character_set_is_part_of_it_and_rows_are_counted()
    {
        var database = await fixture.CreateDatabaseAsync(Cancellation);
        await database.ExecuteAsync(Schema, Cancellation);
        var before = await DatabaseContents.ReadSchemaAsync(database.RootConnectionString);

        await MariaDBServer.ExecuteAsync(
            database.RootConnectionString, $"ALTER DATABASE {database.Name} COLLATE utf8mb4_bin", Cancellation);

        Assert.NotEqual(before, await DatabaseContents.ReadSchemaAsync(database.RootConnectionString));
        Assert.Equal(
            ["child: 1", "named: 1", "numbers: 1", "parent: 2", "versioned: 1"],
            await DatabaseContents.CountRowsAsync(database.RootConnectionString));
    }
}
