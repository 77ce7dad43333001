using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

public sealed class RoundTripTests(MariaDBFixture fixture)
{
    private const string Everything = """
        CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('c7d8e9f0a1b2');
        CREATE TABLE kinds (
            id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, tiny TINYINT, flag TINYINT(1), small DECIMAL(30,15), dbl DOUBLE, bits BIT(9), born YEAR,
            day DATE, time6 TIME(6), moment DATETIME(6), stamp TIMESTAMP(6) NULL, doc JSON, unique_id UUID, address INET6, place POINT,
            choice ENUM('a', 'é', '''') CHARACTER SET utf8mb4, several SET('x', 'y'), words VARCHAR(200) CHARACTER SET latin1, text4 TEXT, raw LONGBLOB, fixed BINARY(4),
            half DOUBLE AS (dbl / 2) VIRTUAL, stored VARCHAR(60) AS (CONCAT('n', small)) STORED, hidden INT INVISIBLE DEFAULT 7,
            CHECK (tiny < 100), FULLTEXT (text4), KEY (words(10), day)
        ) COMMENT='it''s; a "comment"' AUTO_INCREMENT=1000;
        INSERT INTO kinds (id, tiny, flag, small, dbl, bits, born, day, time6, moment, stamp, doc, unique_id, address, place, choice, several, words, text4, raw, fixed, hidden) VALUES
            (1, -128, 1, 123456789012345.123456789012345, 1e0/3, b'101010101', 1999, '0001-01-01', '-838:59:58.999999', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', '{"a": [1, "ü", null]}', UUID(), '2001:db8::1', POINT(1.5, -2.5), 'é', 'x,y', 'ñandú', '🦊 ; -- \' " \\ ` % _ \r\n\t\0 end', x'00010a0d1a5c27223b2d2dff', x'00ff0000', 8),
            (2, 0, 0, 0, 1.7976931348623157e308, 0, 2155, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '''', '', '', '', '', x'', 9),
            (18446744073709551615, 99, 1, -0.000000000000001, 2.2250738585072014e-308, 1, 1901, '2024-02-29', '00:00:00', '1000-01-01', '1970-01-01 00:00:01', '[]', UUID(), '::', POINT(0, 0), 'a', 'y', 'x', REPEAT('é', 30000), REPEAT(x'00ff', 300000), 'abcd', 10);
        CREATE TABLE `parent ``;%"'` (id INT PRIMARY KEY, `na me` VARCHAR(10), child INT);
        CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT `a;b` FOREIGN KEY (parent) REFERENCES `parent ``;%"'` (id) ON DELETE CASCADE);
        ALTER TABLE `parent ``;%"'` ADD CONSTRAINT back FOREIGN KEY (child) REFERENCES child (id);
        SET foreign_key_checks = 0;
        INSERT INTO `parent ``;%"'` VALUES (1, 'ú', 1); INSERT INTO child VALUES (1, 1), (2, 1);
        SET foreign_key_checks = 1;
        CREATE TABLE zeros (id INT PRIMARY KEY AUTO_INCREMENT, day DATE);
        SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; INSERT INTO zeros VALUES (0, '0000-00-00'), (5, '2024-00-31'); SET sql_mode = DEFAULT;
        CREATE TABLE history (id INT PRIMARY KEY, value INT) WITH SYSTEM VERSIONING;
        INSERT INTO history VALUES (1, 1); UPDATE history SET value = 2;
        CREATE TABLE old_engine (id INT PRIMARY KEY, word TEXT) ENGINE=MyISAM; INSERT INTO old_engine VALUES (1, 'one');
        CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3; INSERT INTO parts VALUES (1), (2), (3);
        CREATE SEQUENCE numbers START WITH 100;
        CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(50));
        CREATE VIEW second AS SELECT id FROM child; CREATE VIEW first AS SELECT * FROM second;
        CREATE TRIGGER `on ``insert` AFTER INSERT ON child FOR EACH ROW INSERT INTO log (what) VALUES ('child; inserted');
        CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
        CREATE PROCEDURE `do ``it`(IN n INT) BEGIN DECLARE s TEXT DEFAULT 'a;b'; INSERT INTO log (what) VALUES (s); END;
        CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM log;
        """;

    private const string Wreck = """
        DELETE FROM kinds; ALTER TABLE kinds DROP COLUMN raw, ADD COLUMN more INT;
        SET foreign_key_checks = 0; DROP TABLE child; SET foreign_key_checks = 1;
        DROP VIEW second; DROP FUNCTION twice; DROP SEQUENCE numbers;
        CREATE TABLE newer (id INT PRIMARY KEY); CREATE VIEW newest AS SELECT * FROM newer; CREATE SEQUENCE later;
        CREATE PROCEDURE another() SELECT 1; CREATE EVENT hourly ON SCHEDULE EVERY 1 HOUR DISABLE DO SELECT 1;
        UPDATE alembic_version SET version_num = 'half';
        """;

    [Fact(Timeout = 300_000)]
    public async Task A_restore_brings_back_every_kind_of_value_and_object()
    {
        using var scenario = await SnapshotScenario.CreateAsync(fixture);
        await scenario.ExecuteAsync(Everything);
        var before = await scenario.ContentAsync();

        var snapshot = await scenario.TakeAsync();
        await scenario.ExecuteAsync(Wreck);
        await scenario.ExecuteAsRootAsync($"ALTER DATABASE {scenario.Database.Name} CHARACTER SET latin1");
        Assert.NotEmpty(await scenario.CompareAsync(snapshot));
        await scenario.RestoreAsync(snapshot);

        Assert.Empty(await scenario.CompareAsync(snapshot));
        Assert.Equal(before, await scenario.ContentAsync());
        Assert.Equal(["c7d8e9f0a1b2"], snapshot.Revisions);
        Assert.Equal(0, await scenario.ReadAsync<long>("SELECT COUNT(*) FROM log"));
        await scenario.ExecuteAsync("INSERT INTO child VALUES (3, 1)");
        Assert.Equal("child; inserted", await scenario.ReadAsync<string>("SELECT what FROM log"));
    }
}
