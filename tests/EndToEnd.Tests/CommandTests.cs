using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using CliWrap;
using CliWrap.Buffered;
using Microsoft.Extensions.DependencyInjection;
using MySqlConnector;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The commands of the dashboard, which <c>aspire resource</c> runs as well, and what each of them does.</summary>
[Collection(EditedGroup.Name)]
public sealed partial class CommandTests(EditedSample edited, RunningSample untouched)
{
    /// <summary>The trait that names a command that a test runs: its resource and its name.</summary>
    private const string Command = "Command";

    // The lists that the seeder and people fill.
    private const string Content =
        "SELECT CONCAT((SELECT GROUP_CONCAT(email ORDER BY email) FROM user), ': ', "
        + "(SELECT GROUP_CONCAT(title ORDER BY title) FROM feature_model))";

    // All rows, in an order of their own.
    private static readonly string[] s_tables = ["user", "user_profile", "feature_model", "tag", "feature_model_tag", "download"];

    // Those that every resource has are Aspire's, and so are a parameter's.
    private static readonly string[] s_aspires =
        [KnownResourceCommands.StartCommand, KnownResourceCommands.StopCommand, KnownResourceCommands.RestartCommand];

    // Those that run the checkout's image.
    private static readonly string[] s_checkouts = ["web_app_container", "rosemary_container", "rq_worker_container"];

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => edited.Uvlhub;

    [Fact(Timeout = 60_000)]
    public void Every_command_is_run_by_a_test_and_stands_in_the_READMEs_table()
    {
        var commands = Uvlhub.App.Services.GetRequiredService<DistributedApplicationModel>().Resources
            .Where(resource => resource is not ParameterResource)
            .SelectMany(
                resource => resource.Annotations.OfType<ResourceCommandAnnotation>(),
                (resource, command) => (Resource: resource.Name, command.Name))
            .Where(command => !s_aspires.Contains(command.Name))
            .ToList();
        Assert.Equal(
            commands.Select(command => $"{command.Resource} {command.Name}").Order(StringComparer.Ordinal),
            typeof(CommandTests).GetMethods()
                .SelectMany(method => method.GetCustomAttributes(inherit: false).OfType<TraitAttribute>())
                .Where(trait => trait.Name == Command).Select(trait => trait.Value).Distinct().Order(StringComparer.Ordinal));

        var readme = File.ReadAllLines(Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "README.md"));
        var table = readme.SkipWhile(line => line != "## Commands").TakeWhile(line => line != "## Settings")
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|'))
            .SelectMany(cells => Names(cells[1]).SelectMany(resource => Names(cells[2]).Select(name => (resource, name)))).ToList();
        Assert.All(commands, command => Assert.Contains(command, table));

        static IEnumerable<string> Names(string cell) => FirstWords().Matches(cell).Select(match => match.Groups[1].Value);
    }

    [Fact(Timeout = 180_000), Trait(Command, "migrator status")]
    public async Task Status_says_how_the_database_stands_to_the_checkout()
    {
        Assert.Contains("at-head", await DoneAsync("migrator", "status"), StringComparison.Ordinal);

        // And it is the migrator's own doing: under another identity the dashboard finds no migrator by its name any more.
        using var dashboard = await Dashboard.OpenAsync(Uvlhub, Cancellation);
        await dashboard.SpanAsync("migrator", span => span.Name == "migrate", Cancellation);
    }

    [Fact(Timeout = 180_000), Trait(Command, "migrator migrate")]
    public async Task Migrate_runs_a_revision_that_was_written_meanwhile_and_leaves_the_rows_as_they_are()
    {
        var (content, head) = (await ScalarAsync(Content), await ScalarAsync("SELECT version_num FROM alembic_version"));
        await File.WriteAllTextAsync(edited.Checkout.File("migrations/versions/by_a_test.py"), $"""
            from alembic import op

            revision = "by_a_test"
            down_revision = "{head}"


            def upgrade():
                op.execute("CREATE TABLE by_a_test (id INT)")


            def downgrade():
                op.execute("DROP TABLE by_a_test")

            """, Cancellation);

        await DoneAsync("migrator", "migrate");

        Assert.Equal("by_a_test", await ScalarAsync("SELECT version_num FROM alembic_version"));
        Assert.Equal("0", await ScalarAsync("SELECT COUNT(*) FROM by_a_test"));
        Assert.Equal(content, await ScalarAsync(Content));
    }

    [Fact(Timeout = 180_000), Trait(Command, "migrator seed")]
    public async Task Seed_adds_the_seeders_rows_to_a_database_without_any()
    {
        await ExecuteAsync(["SET FOREIGN_KEY_CHECKS = 0", .. s_tables.Select(table => $"DELETE FROM {table}")]);
        Assert.Equal("0 0", await ScalarAsync("SELECT CONCAT((SELECT COUNT(*) FROM user), ' ', (SELECT COUNT(*) FROM feature_model))"));

        await DoneAsync("migrator", "seed");

        Assert.Equal(await SeededAsync(), await ScalarAsync(Content));
    }

    [Fact(Timeout = 180_000), Trait(Command, "migrator backup"), Trait(Command, "migrator snapshots")]
    public async Task Snapshots_lists_a_backup_by_the_name_that_Backup_says()
    {
        var name = await DoneAsync("migrator", "backup");

        var snapshots = await DoneAsync("migrator", "snapshots");

        var listed = Assert.Single(snapshots.Split('\n'), line => line.StartsWith($"  {name}  ", StringComparison.Ordinal));
        var head = await ScalarAsync("SELECT version_num FROM alembic_version");
        Assert.StartsWith($"  {name}  revision {head}, ", listed, StringComparison.Ordinal);
        Assert.EndsWith(": backup", listed.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000), Trait(Command, "migrator restore")]
    public async Task Restore_gives_the_database_the_snapshots_rows_and_keeps_those_that_it_replaces()
    {
        var before = await RowsAsync();
        var name = await DoneAsync("migrator", "backup");
        await ExecuteAsync(
            "UPDATE user SET email = CONCAT('changed-', email)", "DELETE FROM download",
            "CREATE TABLE made_meanwhile (id INT PRIMARY KEY)", "INSERT INTO made_meanwhile VALUES (1)");
        var meanwhile = await RowsAsync();
        Assert.NotEqual(before, meanwhile);

        await DoneAsync("migrator", "restore", ("snapshot", name));
        Assert.Equal(before, await RowsAsync());

        // What it replaced is listed, and comes back in its turn.
        var kept = await SnapshotAsync($": before {name} was restored");
        await DoneAsync("migrator", "restore", ("snapshot", kept));
        Assert.Equal(meanwhile, await RowsAsync());
        await DoneAsync("migrator", "restore", ("snapshot", name));
    }

    [Fact(Timeout = 180_000)]
    public async Task Restore_of_a_snapshot_that_does_not_exist_changes_nothing_and_names_those_that_do()
    {
        var name = await DoneAsync("migrator", "backup");
        var before = await RowsAsync();

        var refused = await RunAsync("migrator", "restore", ("snapshot", "nope"));

        Assert.False(refused.Success);
        Assert.Equal("restore: refused, nothing was changed", refused.Message);
        Assert.Contains(name, refused.Data?.Value, StringComparison.Ordinal);
        Assert.Equal(before, await RowsAsync());
    }

    [Fact(Timeout = 180_000), Trait(Command, "migrator reset")]
    public async Task Reset_leaves_the_seeders_rows_and_nothing_else_and_keeps_what_was_there()
    {
        await ExecuteAsync("CREATE TABLE in_the_way (id INT)", "UPDATE user SET email = CONCAT('changed-', email)");
        var before = await RowsAsync();

        await DoneAsync("migrator", "reset");

        Assert.Equal(await SeededAsync(), await ScalarAsync(Content));
        Assert.Equal(
            "0", await ScalarAsync(
                "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'in_the_way'"));
        using var client = Uvlhub.CreateClient();
        Assert.Contains("Coffee machine", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);

        var kept = await SnapshotAsync(": before a reset");
        await DoneAsync("migrator", "restore", ("snapshot", kept));
        Assert.Equal(before, await RowsAsync());
        await DoneAsync("migrator", "reset");
    }

    [Fact(Timeout = 300_000), Trait(Command, "rosemary test")]
    public async Task Pytest_runs_on_the_test_database_and_a_test_cannot_reach_the_other_one()
    {
        // As an application that is configured wrongly would: with the user that the tests are given, on the database of the site.
        await File.WriteAllTextAsync(edited.Checkout.File("app/modules/profile/tests/test_reach.py"), """
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
        var tested = await DoneAsync("rosemary", "test", ("module", "profile"), ("keyword", "reach or ours"));
        Assert.Contains("2 passed", tested, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_failing_test_makes_the_command_fail_and_is_named()
    {
        var file = edited.Checkout.File("app/modules/explicit_failure/tests/test_fails.py");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(edited.Checkout.File("app/modules/explicit_failure/__init__.py"), "", Cancellation);
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
            Directory.Delete(edited.Checkout.File("app/modules/explicit_failure"), recursive: true);
        }
    }

    [Theory(Timeout = 60_000)]
    [InlineData("test")]
    [InlineData("selenium")]
    [InlineData("locust")]
    public async Task A_module_that_does_not_exist_is_refused_with_the_names_of_those_that_do(string command)
    {
        var refused = await RunAsync("rosemary", command, ("module", "nope"));
        Assert.Equal((false, "Command argument validation failed."), (refused.Success, refused.Message));

        // What the dashboard shows beside the field, and 'aspire resource' below that message.
        var module = new InteractionInput { Name = "module", InputType = InputType.Text, Value = "nope" };
        await Uvlhub.App.Services.GetRequiredService<DistributedApplicationModel>().Resources
            .Single(resource => resource.Name == "rosemary")
            .Annotations.OfType<ResourceCommandAnnotation>().Single(annotation => annotation.Name == command)
            .ValidateArguments!(new() { Inputs = new([module]), Services = Uvlhub.App.Services, CancellationToken = Cancellation });
        Assert.Equal(["there is no module nope; there are auth, featuremodel, profile, public, team"], Errors(module));
    }

    [Fact(Timeout = 180_000), Trait(Command, "rosemary selenium")]
    public async Task Selenium_tests_drive_the_grids_browser_on_the_running_site()
    {
        Assert.Contains("2 passed", await DoneAsync("rosemary", "selenium", ("module", "auth")), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task Browser_tests_without_a_grid_say_how_to_get_one()
    {
        var tested = await untouched.Uvlhub.RunCommandAsync("rosemary", "selenium", [("module", "auth")], Cancellation);
        Assert.False(tested.Success);
        Assert.Contains("this checkout runs no Selenium grid. Start one with Uvlhub:Services", tested.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 180_000), Trait(Command, "rosemary locust")]
    public async Task Locust_puts_its_users_on_the_running_site()
    {
        // The users of the module auth sign up, under this name.
        const string signedUp = "SELECT COUNT(*) FROM user_profile WHERE name = 'Load' AND surname = 'Tester'";
        var before = int.Parse(await ScalarAsync(signedUp), CultureInfo.InvariantCulture);

        var loaded = await RunAsync("rosemary", "locust", ("module", "auth"), ("users", "2"), ("seconds", "5"));

        Assert.True(loaded.Success, $"{loaded.Message}\n{loaded.Data?.Value}");
        Assert.Equal("locust: 2 users for 5 s, no request failed", loaded.Message);
        Assert.Equal(before + 2, int.Parse(await ScalarAsync(signedUp), CultureInfo.InvariantCulture));
    }

    [Theory(Timeout = 180_000)]
    [Trait(Command, "web rebuild-image"), Trait(Command, "rosemary rebuild-image"), Trait(Command, "worker rebuild-image")]
    [InlineData("web")]
    [InlineData("rosemary")]
    [InlineData("worker")]
    public async Task After_an_edit_of_the_Dockerfile_every_container_runs_the_image_that_is_built_anew(string resource)
    {
        var before = Assert.Single((await ImagesAsync()).Split(' ').Distinct());
        await File.AppendAllTextAsync(edited.Dockerfile, $"LABEL edited-for={resource}\n", Cancellation);

        var done = await DoneAsync(resource, "rebuild-image");

        // While one is replaced there is none of its name.
        var images = await Eventually.IsAsync(
            ImagesAsync,
            images => images.Split(' ') is [not "", ..] all && all.Distinct().Count() == 1 && all[0] != before,
            what: $"every container runs the new image ({done})");
        Assert.Equal(resource, await Uvlhub.EngineAsync(
            s_limit, Cancellation, "image", "inspect", "--format", "{{index .Config.Labels \"edited-for\"}}", images.Split(' ')[0]));
        await Uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("web", Cancellation);
        using var client = Uvlhub.CreateClient();
        Assert.Contains("Coffee machine", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
        await Uvlhub.EngineAsync(s_limit, Cancellation, "image", "rm", before);

        async Task<string> ImagesAsync() => string.Join(' ', await Task.WhenAll(s_checkouts.Select(async container =>
            (
                await Uvlhub.Engine.RunAsync(
                    s_limit, Cancellation, "container", "inspect", "--format", "{{.Image}}", Uvlhub.ContainerOf(container)))
                .Output)));
    }

    [Theory(Timeout = 60_000)]
    [Trait(Command, "web shell"), Trait(Command, "rosemary shell"), Trait(Command, "worker shell"), Trait(Command, "db shell")]
    [InlineData("web", "web_app_container", "echo $((6*7)) $HOSTNAME")]
    [InlineData("rosemary", "rosemary_container", "echo $((6*7)) $HOSTNAME")]
    [InlineData("worker", "rq_worker_container", "echo $((6*7)) $HOSTNAME")]
    [InlineData("db", "mariadb_container", "SELECT CONCAT(6*7, ' ', @@hostname);")]
    public async Task The_line_that_Shell_says_opens_one_in_the_container(string resource, string container, string typed)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "types into a terminal of util-linux's script");
        var opened = await DoneAsync(resource, "shell");

        var line = opened.Split('\n')[0].TrimEnd();
        var terminal = await Cli.Wrap("script").WithArguments(["--quiet", "--return", "--command", line, "/dev/null"])
            .WithStandardInputPipe(PipeSource.FromString($"{typed}\nexit\n"))
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Cancellation);

        var hostname = await Uvlhub.InspectAsync(container, "{{.Config.Hostname}}", Cancellation);
        Assert.Contains($"42 {hostname}", terminal.StandardOutput, StringComparison.Ordinal);
        Assert.Equal(0, terminal.ExitCode);
    }

    [GeneratedRegex("`([a-z-]+)")]
    private static partial Regex FirstWords();

    // They have no public name.
    private static IEnumerable<string> Errors(InteractionInput input) =>
        (IEnumerable<string>)typeof(InteractionInput)
            .GetProperty("ValidationErrors", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(input)!;

    private Task<string> ScalarAsync(string sql) => Uvlhub.ScalarAsync("uvlhubdb", sql, Cancellation);

    private Task<string> SeededAsync() => untouched.Uvlhub.ScalarAsync("uvlhubdb", Content, Cancellation);

    private Task<string> RowsAsync() => new InstanceOnEngine(Uvlhub.Instance).RowsAsync();

    // The name of the newest snapshot that was made for a reason.
    private async Task<string> SnapshotAsync(string reason) =>
        (await DoneAsync("migrator", "snapshots")).Split('\n').First(line => line.Contains(reason, StringComparison.Ordinal)).Trim()
            .Split(' ')[0];

    private async Task ExecuteAsync(params string[] statements)
    {
        await using var connection = await Uvlhub.ConnectAsync("uvlhubdb", Cancellation);
        foreach (var statement in statements)
        {
            await using var command = new MySqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }

    private Task<ExecuteCommandResult> RunAsync(string resource, string command, params (string Name, string Value)[] arguments) =>
        Uvlhub.RunCommandAsync(resource, command, arguments, Cancellation);

    // What it answers; it must succeed.
    private async Task<string> DoneAsync(string resource, string command, params (string Name, string Value)[] arguments)
    {
        var ran = await RunAsync(resource, command, arguments);
        Assert.True(ran.Success, $"{ran.Message}\n{ran.Data?.Value}");
        return ran.Data?.Value ?? "";
    }
}
