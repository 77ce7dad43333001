using System.Globalization;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What is promised of Render: the site alone, on a database that is somebody else's.</summary>
public sealed class RenderTests(ExternalMariaDB external) : IClassFixture<ExternalMariaDB>
{
    private const string Environment = "--Uvlhub:Environment=Render";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task One_container_serves_on_port_80_from_a_database_elsewhere_and_finds_its_rows_again()
    {
        var instance = Uvlhub.NewInstance();
        try
        {
            await ServeAsync(instance, "empty: 4 revisions to run");
            await external.AskAsync(
                "INSERT INTO user (email, password_hash, created_at) VALUES ('ada@example.org', 'x', NOW())", Cancellation);
            await ServeAsync(instance, "is at the checkout's head 004: nothing to do");
            Assert.Equal("ada@example.org", await external.AskAsync("SELECT GROUP_CONCAT(email) FROM user", Cancellation));
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task One_user_with_one_database_and_five_connections_is_all_that_the_site_needs()
    {
        var instance = Uvlhub.NewInstance();
        var settings = $"--Uvlhub:EnvironmentFile={await external.GiveOneDatabaseAsync("team", connections: 5, Cancellation)}";
        try
        {
            await ServeAsync(instance, "empty: 4 revisions to run", settings);
            Assert.Equal("004", await external.AskAsync("SELECT revision FROM uvlhub_runner_gate", Cancellation, "team"));
            await external.AskAsync(
                "INSERT INTO user (email, password_hash, created_at) VALUES ('ada@example.org', 'x', NOW())", Cancellation, "team");
            await ServeAsync(instance, "is at the checkout's head 004: nothing to do", settings);
            Assert.Equal("ada@example.org", await external.AskAsync("SELECT GROUP_CONCAT(email) FROM user", Cancellation, "team"));
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    [Fault(FaultArea.Production, "Render's database cannot be reached")]
    [Fact(Timeout = 180_000)]
    public async Task A_database_that_cannot_be_reached_is_named_with_host_and_port()
    {
        var nobody = FreePorts.Next().ToString(CultureInfo.InvariantCulture);
        await RefusedAsync(
            "given up at the limit, with host, port and cause",
            $"MariaDB did not answer at {external.Host}:{nobody} within 3 s",
            "Another host or port: Uvlhub:Database:Host, Uvlhub:Database:Port",
            $"--Uvlhub:Database:Port={nobody}", "--Uvlhub:Migrator:ConnectTimeout=00:00:03");
    }

    [Fault(FaultArea.Production, "whom the migrator is in Render's database may not create one")]
    [Fact(Timeout = 180_000)]
    public async Task Somebody_who_may_not_create_databases_is_refused_in_one_message()
    {
        var content = await external.ContentAsync(Cancellation);
        await RefusedAsync(
            "refused with what it needs and the settings that say who",
            $"MariaDB at {external.Host}:{external.Port} does not let 'site' prepare the databases",
            "Uvlhub:Database:Administrator, with the password in MARIADB_ROOT_PASSWORD",
            "--Uvlhub:Database:Administrator=site");
        Proof.Data(
            "a dump of all rows is the same, and so are databases, accounts and rights", content,
            await external.ContentAsync(Cancellation));
    }

    private async Task RefusedAsync(string claim, string cause, string remedy, params string[] settings)
    {
        var instance = Uvlhub.NewInstance();
        try
        {
            await using var host = AppHostProcess.Start(
                new Dictionary<string, string>(), [
                    $"--Uvlhub:Path={external.Checkout.Path}", $"--Uvlhub:Instance={instance}", Environment, .. settings,
                ]);
            await Proof.HappensAsync(claim, async () =>
            {
                await host.PrintedAsync(remedy, Cancellation);
                Proof.Reads(cause, host.Output);
                Assert.DoesNotContain("   at ", host.Output, StringComparison.Ordinal);
            });
            await Proof.HappensAsync("the site does not start: it has no container", async () =>
            {
                await host.PrintedAsync("so the site does not start", Cancellation);
                var containers = await new InstanceOnEngine(instance).ContainersAfterGraceAsync();
                Assert.DoesNotContain($"{instance}_render_web_app_container", containers);
                Assert.DoesNotContain("uvlhub is ready", host.Output, StringComparison.Ordinal);
            });
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    private async Task ServeAsync(string instance, string migrated, params string[] settings)
    {
        var uvlhub = await Uvlhub.StartHealthyAsync(
            external.Checkout.Path, instance, Cancellation, [Environment, "--Uvlhub:Gunicorn:Workers=1", .. settings]);
        try
        {
            using var client = uvlhub.CreateClient();
            Assert.Contains("MINIHUB", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
            Assert.Contains(migrated, await uvlhub.LogAsync("migrator", Cancellation), StringComparison.Ordinal);

            string[] words = ["ps", "--format", "{{.Names}} {{.Ports}}", "--filter", $"name=^{instance}_"];
            var running = await Uvlhub.EngineAsync(s_limit, Cancellation, words);
            Assert.Equal($"{instance}_render_web_app_container 127.0.0.1:{uvlhub.SiteUrl.Port}->80/tcp", running);
            var all = await new InstanceOnEngine(instance).EverythingAsync();
            Assert.DoesNotContain(all, thing => thing.Contains("mariadb", StringComparison.Ordinal));
        }
        finally
        {
            await uvlhub.StopAsync(CancellationToken.None);
        }
    }
}
