using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// <c>aspire deploy</c> from a bare server to the end of the stack, in this order: each test finds what the one before it has left.
/// </summary>
[TestMethodOrderer(typeof(InOrderOfTheFile))]
public sealed class DeployTests(DeployedSwarm server) : IClassFixture<DeployedSwarm>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task A_server_that_is_in_no_swarm_is_told_how_to_make_one()
    {
        var (succeeds, output) = await server.DeployAsync("v1");
        Assert.False(succeeds);
        Assert.Contains("is in no swarm. 'docker swarm init --advertise-addr ADDRESS'", output, StringComparison.Ordinal);
        await server.AskAsync("swarm", "init", "--advertise-addr", "eth0");
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_secret_that_nobody_has_given_is_named_and_nothing_is_deployed()
    {
        var (succeeds, output) = await server.DeployAsync("v1");
        Assert.False(succeeds);
        Assert.Contains($"the secret {server.Name}_mariadb_password ", output, StringComparison.Ordinal);
        Assert.Contains($"the secret {server.Name}_mariadb_root_password ", output, StringComparison.Ordinal);
        Assert.DoesNotContain($"{server.Name}_secret_key", output, StringComparison.Ordinal);
        Assert.Equal("", await server.AskAsync("stack", "ls", "--format", "{{.Name}}"));
        Assert.Equal("", await server.AskAsync("secret", "ls", "--quiet"));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_first_version_that_does_not_start_is_given_up_with_its_last_lines()
    {
        server.FillIn();
        var (succeeds, output) = await DeployBrokenAsync("v0");
        Assert.False(succeeds);
        Assert.Contains("web does not come up", output, StringComparison.Ordinal);
        Assert.Contains("broken on purpose", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task The_first_deployment_migrates_and_serves_and_the_next_one_changes_nothing()
    {
        var (succeeds, output) = await server.DeployAsync("v1");
        Assert.True(succeeds, output);
        await RunningSwarm.AnswersAsync(server.Engine);
        Assert.Equal("004", await server.SqlAsync("SELECT version_num FROM alembic_version"));
        Assert.Equal(3, (await server.AskAsync("secret", "ls", "--quiet")).Split('\n').Length);

        var containers = await server.ContainersAsync();
        (succeeds, output) = await server.DeployAsync("v1");
        Assert.True(succeeds, output);
        Assert.Contains("nothing has changed", output, StringComparison.Ordinal);
        Assert.Equal(containers, await server.ContainersAsync());
    }

    [Fact(Timeout = 600_000)]
    public async Task Other_code_with_a_migration_is_deployed_under_the_same_name_and_fails_no_request()
    {
        await File.WriteAllTextAsync(
            server.Checkout.File("migrations/versions/005_views.py"), SampleCheckout.RevisionWithViews("005", after: "004"), Cancellation);
        await using var load = new Load(server.Engine.Address);
        var (succeeds, output) = await server.DeployAsync("v1");
        Assert.True(succeeds, output);
        await load.NothingHasFailedAsync();
        await load.UploadsAreThereAsync();
        Assert.Equal("005", await server.SqlAsync("SELECT version_num FROM alembic_version"));
        Assert.Contains("web: ", output, StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_migration_that_fails_and_a_version_that_does_not_start_leave_what_served_before()
    {
        var rows = await RowsAsync();
        var file = server.Checkout.File("migrations/versions/006_wrong.py");
        await File.WriteAllTextAsync(file, """
            from alembic import op

            revision = "006"
            down_revision = "005"

            def upgrade():
                op.execute("ALTER TABLE nowhere ADD COLUMN x INT")

            """, Cancellation);
        await using var load = new Load(server.Engine.Address);
        var containers = await server.ContainersAsync();
        var (succeeds, output) = await server.DeployAsync("v3");
        Assert.False(succeeds);
        Assert.Contains("the migrator failed", output, StringComparison.Ordinal);
        Assert.Contains("nowhere", output, StringComparison.Ordinal);
        Assert.Equal(containers, await server.ContainersAsync());
        File.Delete(file);

        (succeeds, output) = await DeployBrokenAsync("v4");
        Assert.False(succeeds);
        Assert.Contains("web did not come up and is what it was before", output, StringComparison.Ordinal);
        Assert.Contains("broken on purpose", output, StringComparison.Ordinal);

        await load.NothingHasFailedAsync();
        await load.UploadsAreThereAsync();
        Assert.StartsWith(rows, await RowsAsync(), StringComparison.Ordinal);
    }

    [Fact(Timeout = 600_000)]
    public async Task A_version_that_takes_away_what_the_one_before_it_reads_and_does_not_start_gives_it_back()
    {
        var (schema, rows) = (await SchemaAsync(), await RowsAsync());
        var file = server.Checkout.File("migrations/versions/006_renamed.py");
        await File.WriteAllTextAsync(file, """
            from alembic import op

            revision = "006"
            down_revision = "005"

            def upgrade():
                op.execute("ALTER TABLE feature_model RENAME COLUMN title TO name")

            """, Cancellation);
        var (succeeds, output) = await DeployBrokenAsync("v5");
        File.Delete(file);
        Assert.False(succeeds);
        Assert.Contains("did not come up with the newer schema, so snapshot ", output, StringComparison.Ordinal);
        Assert.Contains("It serves again", output, StringComparison.Ordinal);
        Assert.Equal(schema, await SchemaAsync());
        Assert.Equal(rows, await RowsAsync());
        await RunningSwarm.AnswersAsync(server.Engine);
        var aside = output.Split("what was written since is in snapshot ")[1].Split('.')[0];
        Assert.Contains(aside, await server.ToolboxAsync("snapshots"), StringComparison.Ordinal);

        Task<string> SchemaAsync() => server.SqlAsync("SELECT version_num FROM alembic_version; SHOW CREATE TABLE feature_model");
    }

    [Fact(Timeout = 300_000)]
    public async Task After_a_power_cut_the_site_answers_without_anybody()
    {
        var rows = await RowsAsync();
        await server.Engine.PowerCutAsync(Cancellation);
        await RunningSwarm.AnswersAsync(server.Engine);
        Assert.Equal(rows, await RowsAsync());
    }

    [Fault(FaultArea.Production, "the server loses its power while it is deployed to (swarm)")]
    [Theory(Timeout = 600_000)]
    [InlineData("009", 0.0, 0.5)]
    [InlineData("010", 0.5, 1.0)]
    public async Task After_a_power_cut_in_a_deployment_the_site_answers_and_the_next_deployment_succeeds(
        string revision, double earliest, double latest)
    {
        // It takes its time, so that the one may fall into the migration and the other into what comes after it.
        var last = await server.SqlAsync("SELECT version_num FROM alembic_version");
        await File.WriteAllTextAsync(server.Checkout.File($"migrations/versions/{revision}_slow.py"), $"""
            from alembic import op

            revision = "{revision}"
            down_revision = "{last}"

            def upgrade():
                op.execute("CREATE TABLE slow_{revision} (id INT PRIMARY KEY)")
                op.execute("DO SLEEP(6)")

            """, Cancellation);
        var rows = await RowsAsync();
        var moment = TimeSpan.FromSeconds(8 + (24 * (earliest + ((latest - earliest) * Random.Shared.NextDouble()))));
        TestContext.Current.TestOutputHelper?.WriteLine($"the power goes after {moment.TotalSeconds:0.0} s");
        var deployment = server.DeployAsync("v9");
        await Task.Delay(moment, Cancellation);
        await server.Engine.PowerCutAsync(Cancellation);
        await deployment;

        await Proof.HappensAsync("the site answers without anybody", () => RunningSwarm.AnswersAsync(server.Engine));
        await Proof.DataAsync("every user is there", async () => Assert.Equal(rows, await RowsAsync()));
        await Proof.HappensAsync("the next deployment succeeds", async () =>
        {
            var (succeeds, output) = await server.DeployAsync("v9");
            Assert.True(succeeds, output);
        });
        Assert.Equal(revision, await server.SqlAsync("SELECT version_num FROM alembic_version"));
        await RunningSwarm.AnswersAsync(server.Engine);
    }

    [Fact(Timeout = 600_000)]
    public async Task Where_the_SDK_is_the_history_is_read_and_a_version_gone_back_to()
    {
        var (succeeds, output) = await server.DeployAsync("any", "history-swarm");
        Assert.True(succeeds, output);
        Assert.Contains("failed: web does not come up", output, StringComparison.Ordinal);
        Assert.Contains("failed: web did not come up and is what it was before", output, StringComparison.Ordinal);
        var first = output.Split('\n').Last(line => line.Contains("schema 005  serves", StringComparison.Ordinal)).Split("  ")
            .First(word => word.StartsWith("v1-", StringComparison.Ordinal));

        (succeeds, output) = await server.DeployAsync(first, "rollback-swarm");
        Assert.False(succeeds);
        Assert.Contains("--yes goes back without asking", output, StringComparison.Ordinal);
        Assert.Contains($"{first} needs revision 005", output, StringComparison.Ordinal);

        var rows = await RowsAsync();
        (succeeds, output) = await server.DeployAsync(first, "rollback-swarm", "--yes=true");
        Assert.True(succeeds, output);
        Assert.Equal("005", await server.SqlAsync("SELECT version_num FROM alembic_version"));
        Assert.Equal(rows, await RowsAsync());
        await RunningSwarm.AnswersAsync(server.Engine);
    }

    [Fact(Timeout = 300_000)]
    public async Task The_stack_is_taken_away_only_if_somebody_says_so_and_the_data_stays()
    {
        var (succeeds, output) = await server.DeployAsync("v2", "destroy");
        Assert.False(succeeds);
        Assert.Contains("--yes", output, StringComparison.Ordinal);
        Assert.Contains(server.Name, await server.AskAsync("stack", "ls", "--format", "{{.Name}}"), StringComparison.Ordinal);

        (succeeds, output) = await server.DeployAsync("v2", "destroy", "--yes=true");
        Assert.True(succeeds, output);
        Assert.Equal("", await server.AskAsync("ps", "--quiet"));
        Assert.Contains($"{server.Name}_db_data", await server.AskAsync("volume", "ls", "--quiet"), StringComparison.Ordinal);
        Assert.Equal(3, (await server.AskAsync("secret", "ls", "--quiet")).Split('\n').Length);
    }

    private async Task<(bool Succeeds, string Output)> DeployBrokenAsync(string version)
    {
        var page = server.Checkout.File("app/__init__.py");
        var code = await File.ReadAllTextAsync(page, Cancellation);
        // Flask's own commands load it, so that the migrator has nothing to say against it.
        const string Broken = "import sys\nif 'gunicorn' in sys.argv[0]:\n    raise RuntimeError('broken on purpose')\n";
        await File.WriteAllTextAsync(page, Broken + code, Cancellation);
        try
        {
            return await server.DeployAsync(version);
        }
        finally
        {
            await File.WriteAllTextAsync(page, code, CancellationToken.None);
        }
    }

    // Visitors make more of them meanwhile.
    private Task<string> RowsAsync() => server.SqlAsync("SELECT id, email FROM user ORDER BY id");
}
