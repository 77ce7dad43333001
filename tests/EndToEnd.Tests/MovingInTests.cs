using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A site that was run by uvlhub's own compose files is taken over by the commands of docs/production.md.</summary>
public sealed class MovingInTests(DeployedSwarm server) : IClassFixture<DeployedSwarm>
{
    private const string Folder = "/srv/minihub/docker";
    private const string Mariadb = "mariadb_container";
    private const string OldVolume = "docker_db_data";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 600_000)]
    public async Task Rows_uploads_and_the_certificate_come_along_and_the_old_installation_is_as_it_was()
    {
        server.FillIn();
        var (flask, mariadb) = (Image("flask"), Image("mariadb"));
        await server.AskAsync("swarm", "init", "--advertise-addr", "eth0");
        await StartOldAsync(flask, mariadb);
        var before = await OldFilesAsync(mariadb);

        await server.Engine.RunAsync(Cancellation, "sh", "-euc", $"cd {Folder}\n{Commands(mariadb)}");
        var (succeeds, output) = await server.DeployAsync("v1");
        Assert.True(succeeds, output);

        await RunningSwarm.AnswersAsync(server.Engine);
        Assert.Equal("004", await server.SqlAsync("SELECT version_num FROM alembic_version"));
        Assert.Equal("old@example.org", await server.SqlAsync("SELECT email FROM user"));
        var web = (await server.AskAsync("ps", "--quiet", "--filter", $"name={server.Name}_web")).Split('\n')[0];
        Assert.Equal("of the old site", await server.AskAsync("exec", web, "cat", "/app/uploads/a-file"));
        Assert.Equal("a certificate", await server.AskAsync(
            "run", "--rm", "--entrypoint", "cat", "--volume", $"{server.Name}_letsencrypt:/from", mariadb, "/from/live/uvlhub.test/fullchain.pem"));
        Assert.Contains(
            "migrate  ", await server.ToolboxAsync("status"), StringComparison.Ordinal);

        Assert.Equal(before, await OldFilesAsync(mariadb));
        await server.AskAsync("start", Mariadb);
        await Eventually.IsAsync(() => OldSqlAsync("SELECT 1"), answer => answer == "1", what: "MariaDB");
        Assert.Equal("003", await OldSqlAsync("SELECT version_num FROM alembic_version"));
    }

    // What a server had before: MariaDB with a volume, and beside it folders of the checkout.
    private async Task StartOldAsync(string flask, string mariadb)
    {
        await server.Engine.RunAsync(Cancellation, "mkdir", "-p", Folder, $"{Folder}/letsencrypt/live/uvlhub.test", $"{Folder}/../uploads");
        await server.Engine.CopyAsync(server.Checkout.Path, "/srv/code", Cancellation);
        await server.Engine.RunAsync(
            Cancellation, "sh", "-c",
            $"printf %s 'of the old site' >{Folder}/../uploads/a-file; printf %s 'a certificate' >{Folder}/letsencrypt/live/uvlhub.test/fullchain.pem");
        string[] settings =
        [
            "--env", $"MARIADB_ROOT_PASSWORD={RunningProduction.RootPassword}", "--env", "MARIADB_DATABASE=uvlhubdb",
            "--env", "MARIADB_USER=uvlhub_production", "--env", $"MARIADB_PASSWORD={RunningProduction.Password}",
        ];
        await server.AskAsync(["run", "--detach", "--name", Mariadb, "--volume", $"{OldVolume}:/var/lib/mysql", .. settings, mariadb]);
        await Eventually.IsAsync(() => OldSqlAsync("SELECT 1"), answer => answer == "1", what: "MariaDB");
        await server.AskAsync(
        [
            "run", "--rm", "--network", $"container:{Mariadb}", "--volume", "/srv/code:/app", "--workdir", "/app", .. settings,
            "--env", "MARIADB_HOSTNAME=127.0.0.1", "--env", "MARIADB_PORT=3306", "--env", "FLASK_APP=app", flask, "flask", "db", "upgrade", "003",
        ]);
        await OldSqlAsync("INSERT INTO user (email, password_hash, created_at) VALUES ('old@example.org', 'x', NOW())");
        await server.AskAsync("stop", Mariadb);
    }

    private async Task<string> OldSqlAsync(string sql)
    {
        try
        {
            return await server.AskAsync(
                "exec", "--env", $"MYSQL_PWD={RunningProduction.Password}", Mariadb, "mariadb", "-uuvlhub_production", "--batch",
                "--skip-column-names", "uvlhubdb", "--execute", sql);
        }
        catch (InvalidOperationException failure) when (sql == "SELECT 1")
        {
            return failure.Message;
        }
    }

    private Task<string> OldFilesAsync(string image) => server.AskAsync(
        "run", "--rm", "--entrypoint", "sh", "--volume", $"{OldVolume}:/from:ro", image, "-c",
        "find /from -type f -exec sha256sum {} + | sort");

    // The lines of the page, with the names of here; what ran there by compose is stopped already.
    private string Commands(string mariadb)
    {
        var page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(RepositoryFolder.AppHost)!, "docs", "production.md"));
        var block = page.Split("### Moving in")[1].Split("```console\n")[1].Split("```")[0].Split('\n');
        Assert.Equal("NAME=minihub IMAGE=mariadb:12.0.2", block[0]);
        Assert.StartsWith("docker compose ", block[1], StringComparison.Ordinal);
        return string.Join('\n', [$"NAME={server.Name} IMAGE={mariadb}", .. block[2..]]);
    }

    private static string Image(string name) => ImageRecipe.StandIn(RepositoryFolder.StandIn(name)).Image;
}
