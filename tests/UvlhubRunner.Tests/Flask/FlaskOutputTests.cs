using UvlhubAspire.Runner.Flask;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Flask;

public sealed class FlaskOutputTests
{
    [Fact]
    public void The_cause_is_the_last_exception_with_the_statement_that_failed()
    {
        var output = Read(
            "INFO  [alembic.runtime.migration] Running upgrade 001 -> 002, add slug",
            "Traceback (most recent call last):",
            "pymysql.err.OperationalError: (1050, \"Table 'user' already exists\")",
            "The above exception was the direct cause of the following exception:",
            "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1050, \"Table 'user' already exists\")",
            "[SQL: CREATE TABLE user (id INTEGER)]",
            "(Background on this error at: https://sqlalche.me/e/20/e3q8)");

        Assert.Equal(
            "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (1050, \"Table 'user' already exists\") [SQL: CREATE TABLE "
            + "user (id INTEGER)]",
            output.Cause);
        Assert.Equal("002", output.Revision);
    }

    [Theory]
    [InlineData("ERROR [flask_migrate] Error: Can't locate revision identified by 'abc'", "Can't locate revision identified by 'abc'")]
    [InlineData("Error: No such command 'dbb'.", "No such command 'dbb'.")]
    [InlineData("something else", "something else")]
    public void A_message_of_a_tool_is_the_cause_without_its_log_prefix(string line, string cause) =>
        Assert.Equal(cause, Read("INFO  [alembic] x", line).Cause);

    [Fact]
    public void The_cause_of_an_application_that_cannot_be_imported_is_the_import() =>
        Assert.Equal("ModuleNotFoundError: No module named 'pyotp'", Read(
            "Error: While importing 'wsgi', an ImportError was raised:",
            "Traceback (most recent call last):",
            "ModuleNotFoundError: No module named 'pyotp'",
            "Usage: flask [OPTIONS] COMMAND [ARGS]...",
            "Try 'flask --help' for help.",
            "Error: No such command 'db'.").Cause);

    [Fact]
    public void The_cause_of_a_revision_that_cannot_be_loaded_names_its_file_and_line() =>
        Assert.Equal("SyntaxError: '(' was never closed (005_x.py, line 14)", Read(
            "Traceback (most recent call last):",
            "  File \"/usr/lib/python3/dist-packages/alembic/script/base.py\", line 152, in _load_revisions",
            "  File \"<frozen importlib._bootstrap>\", line 241, in _call_with_frames_removed",
            "  File \"/app/migrations/versions/005_x.py\", line 14",
            "    op.execute('SELECT 1'",
            "              ^",
            "SyntaxError: '(' was never closed").Cause);

    [Fact]
    public void A_command_that_prints_nothing_has_a_cause_all_the_same() => Assert.Equal("it printed nothing", Read().Cause);

    [Fact]
    public void A_seeder_that_failed_is_found_although_the_command_ends_with_0() =>
        Assert.Equal(
            "Error running seeder AuthSeeder: boom",
            Read("Seeding...", "Error running seeder AuthSeeder: boom", "Rolled back").SeederError);

    private static FlaskOutput Read(params string[] lines)
    {
        var output = new FlaskOutput(_ => { });
        foreach (var line in lines)
        {
            output.Add(line);
        }

        return output;
    }
}
