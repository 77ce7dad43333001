using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// The backups of a deployed site, in a folder that two servers reach one after the other, in this order: each test finds what the one
/// before it has left.
/// </summary>
[TestMethodOrderer(typeof(InOrderOfTheFile))]
public sealed class BackupTests(BackedUpServers servers) : IClassFixture<BackedUpServers>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task A_server_makes_backups_with_a_password_that_its_owner_gives_and_its_site_does_not_have()
    {
        var server = servers.First;
        await server.AskAsync("swarm", "init", "--advertise-addr", "eth0");
        server.FillIn();
        var (succeeds, output) = await BackedUpServers.DeployAsync(server, "--Uvlhub:Secrets=generated");
        Assert.False(succeeds);
        Assert.Contains($"the secret {server.Name}_backup_password ", output, StringComparison.Ordinal);

        await BackedUpServers.GivePasswordAsync(server);
        (succeeds, output) = await BackedUpServers.DeployAsync(server);
        Assert.True(succeeds, output);
        // The first one is made at once.
        await Eventually.TrueAsync(
            async () => (await server.OperateAsync("UvlhubRunner", "backups")).Contains("1 backups in /mnt/backups", StringComparison.Ordinal),
            what: "a backup");
        Assert.Contains("(healthy)", await server.AskAsync("ps", "--filter", $"name={server.Name}_backup", "--format", "{{.Status}}"), StringComparison.Ordinal);
        // For who knows restic.
        Assert.Contains("snapshot=", await server.OperateAsync("restic", "snapshots"), StringComparison.Ordinal);
        foreach (var service in (string[])["web", "db"])
        {
            var container = (await server.AskAsync("ps", "--quiet", "--filter", $"name={server.Name}_{service}")).Split('\n')[0];
            Assert.DoesNotContain(
                "backup", await server.AskAsync("exec", container, "sh", "-c", "env; ls /run/secrets"), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task A_bare_server_gets_the_rows_and_the_uploads_of_one_that_is_lost()
    {
        await RunningSwarm.AnswersAsync(servers.First.Engine);
        using var visitor = new Visitor(servers.First.Engine.Address);
        await visitor.SignUpAsync(Cancellation);
        var upload = await visitor.UploadAsync(Cancellation);
        await servers.First.OperateAsync("UvlhubRunner", "schedule", "--once");
        var rows = await servers.First.SqlAsync(Rows);
        Assert.Contains("@example.org", rows, StringComparison.Ordinal);
        await servers.First.Engine.KillAsync(Cancellation);

        var server = servers.Second;
        await server.AskAsync("swarm", "init", "--advertise-addr", "eth0");
        server.FillIn();
        await BackedUpServers.GivePasswordAsync(server);
        var (succeeds, output) = await BackedUpServers.DeployAsync(server);
        Assert.True(succeeds, output);
        Assert.NotEqual(rows, await server.SqlAsync(Rows));

        // The new server's own one, without a visitor, is there as well, and is not taken for it.
        var lost = (await server.OperateAsync("UvlhubRunner", "backups")).Split('\n')
            .First(line => line.Contains("of another server", StringComparison.Ordinal));
        await server.OperateAsync("UvlhubRunner", "restore-backup", lost.Trim().Split(' ')[0]);
        await server.OperateAsync("UvlhubRunner", "migrate");

        Assert.Equal(rows, await server.SqlAsync(Rows));
        await RunningSwarm.AnswersAsync(server.Engine);
        using var again = new Visitor(server.Engine.Address);
        Assert.Equal(upload.Text, await again.DownloadAsync(upload, Cancellation));
    }

    [Fact(Timeout = 600_000)]
    public async Task A_wrong_password_is_unhealthy_and_the_log_has_the_reason()
    {
        var (server, service) = (servers.Second, $"{servers.Second.Name}_backup");
        await server.Engine.RunAsync(Cancellation, "sh", "-c", $"printf wrong | docker secret create {server.Name}_wrong -");
        await server.AskAsync(
            "service", "update", "--detach", "--secret-rm", $"{service}_password", "--secret-add",
            $"source={server.Name}_wrong,target=backup_password", service);
        await Eventually.TrueAsync(
            async () => (await server.AskAsync("service", "ps", "--no-trunc", "--format", "{{.Error}}", service))
                .Contains("unhealthy container", StringComparison.Ordinal),
            what: "an unhealthy container");
        Assert.Contains(
            "/mnt/backups does not open with this password. Give the one that it was made with (BACKUP_PASSWORD).",
            await server.Engine.RunAsync(Cancellation, "sh", "-c", $"docker service logs --raw {service} 2>&1"), StringComparison.Ordinal);
    }

    private const string Rows = "SELECT * FROM user ORDER BY id; SELECT * FROM feature_model ORDER BY id";
}
