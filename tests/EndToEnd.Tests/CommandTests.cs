using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The commands of the dashboard, which <c>aspire resource</c> runs as well.</summary>
public sealed class CommandTests(RunningSample sample)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => sample.Uvlhub;

    [Fact(Timeout = 180_000)]
    public async Task Status_says_how_the_database_stands_to_the_checkout()
    {
        var status = await RunAsync("migrator", "status");
        Assert.True(status.Success, status.Message);
        Assert.Contains("at-head", status.Data?.Value, StringComparison.Ordinal);

        // And it is the migrator's own doing: under another identity the dashboard finds no migrator by its name any more.
        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        await dashboard.SpanAsync("migrator", span => span.Name == "migrate", Cancellation);
    }

    [Fact(Timeout = 300_000)]
    public async Task Pytest_runs_on_the_test_database_and_a_test_cannot_reach_the_other_one()
    {
        // As an application that is configured wrongly would: with the user that the tests are given, on the database of the site.
        var file = sample.Checkout.File("app/modules/profile/tests/test_reach.py");
        await File.WriteAllTextAsync(file, """
            import os
            import pymysql
            import pytest


            def connect(database):
                return pymysql.connect(
                    host=os.environ["MARIADB_HOSTNAME"], user=os.environ["MARIADB_USER"], password=os.environ["MARIADB_PASSWORD"], database=database
                )


            def test_the_test_database_is_ours():
                connect(os.environ["MARIADB_TEST_DATABASE"]).close()


            def test_the_sites_database_is_out_of_reach():
                with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
                    connect(os.environ["MARIADB_DATABASE"])
            """, Cancellation);
        try
        {
            var tested = await RunAsync("rosemary", "test", ("module", "profile"), ("keyword", "reach or ours"));
            Assert.True(tested.Success, $"{tested.Message}\n{tested.Data?.Value}");
            Assert.Contains("2 passed", tested.Data?.Value, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_failing_test_makes_the_command_fail_and_is_named()
    {
        var file = sample.Checkout.File("app/modules/explicit_failure/tests/test_fails.py");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(sample.Checkout.File("app/modules/explicit_failure/__init__.py"), "", Cancellation);
        await File.WriteAllTextAsync(file, "def test_fails():\n    assert 1 == 2, 'on purpose'\n", Cancellation);
        try
        {
            var tested = await RunAsync("rosemary", "test", ("module", "explicit_failure"));
            Assert.False(tested.Success);
            Assert.StartsWith("test: 1 failed in ", tested.Message, StringComparison.Ordinal);
            Assert.Contains("test_fails.py::test_fails - AssertionError: on purpose", tested.Data?.Value, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(sample.Checkout.File("app/modules/explicit_failure"), recursive: true);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_module_that_does_not_exist_is_refused_with_the_names_of_those_that_do()
    {
        var tested = await RunAsync("rosemary", "test", ("module", "nope"));
        Assert.False(tested.Success);
    }

    [Fact(Timeout = 60_000)]
    public async Task Browser_tests_without_a_grid_say_how_to_get_one()
    {
        var tested = await RunAsync("rosemary", "selenium", ("module", "auth"));
        Assert.False(tested.Success);
        Assert.Contains("this checkout runs no Selenium grid. Start one with Uvlhub:Services", tested.Message, StringComparison.Ordinal);
    }

    private Task<ExecuteCommandResult> RunAsync(string resource, string command, params (string Name, string Value)[] arguments) =>
        Uvlhub.RunCommandAsync(resource, command, arguments, Cancellation);
}
