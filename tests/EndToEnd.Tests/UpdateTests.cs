using System.Globalization;
using System.Net;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// A server follows its registry while people use it, in this order: each test finds what the one before it has left.
/// </summary>
[TestMethodOrderer(typeof(InOrderOfTheFile))]
public sealed class UpdateTests(UpdatedSwarm server) : IClassFixture<UpdatedSwarm>
{
    private const string Template = "app/templates/base.html";
    private const string Code = "app/__init__.py";

    // Flask's own commands load it, so that the migrator has nothing to say against it.
    private const string Broken = "import sys\nif 'gunicorn' in sys.argv[0]:\n    raise RuntimeError('broken on purpose')\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Production, "the certificate's authority does not answer")]
    [Fact(Timeout = 300_000)]
    public async Task Without_an_authority_the_site_is_served_without_TLS_until_it_is_there()
    {
        const string Next = "/etc/letsencrypt/uvlhub-next";
        await Eventually.TrueAsync(async () => (await server.LogAsync("certbot")).Contains("Connection refused", StringComparison.Ordinal)
            || (await server.LogAsync("certbot")).Contains("Max retries", StringComparison.Ordinal), what: "certbot's reason");
        await Proof.HappensAsync("the site is served without TLS", () => RunningSwarm.AnswersAsync(server.Engine));
        await Proof.HappensAsync("it is asked again minutes later, not at once", async () => Assert.InRange(
            long.Parse(await server.InsideAsync("certbot", "cat", Next), CultureInfo.InvariantCulture)
                - DateTimeOffset.UtcNow.ToUnixTimeSeconds(), 30, 120));

        await server.StartAuthorityAsync();
        await server.InsideAsync("certbot", "sh", "-c", $"echo 0 >{Next}");
        await Proof.HappensAsync("when the authority is back, with TLS", () => Eventually.IsAsync(
            server.ServedAsync, serial => serial.Length > 0, what: "a certificate"));
    }

    [Fault(FaultArea.Production, "nginx cannot read a renewed certificate at once")]
    [Fact(Timeout = 300_000)]
    public async Task A_renewed_certificate_is_served_without_a_failed_request_even_if_nginx_refuses_it_at_first()
    {
        var before = await server.ServedAsync();
        await using var load = server.Load();
        // What nginx cannot read for a while is tried again.
        await server.InsideAsync(
            "nginx", "sh", "-c", "cp /usr/sbin/nginx /tmp/nginx && printf '#!/bin/sh\\nexit 1\\n' >/tmp/refuses && chmod +x /tmp/refuses && mv /tmp/refuses /usr/sbin/nginx");
        await server.InsideAsync("certbot", "certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew");
        await Task.Delay(TimeSpan.FromSeconds(5), Cancellation);
        await Proof.HappensAsync("the old one is served meanwhile", async () => Assert.Equal(before, await server.ServedAsync()));
        await server.InsideAsync("nginx", "mv", "/tmp/nginx", "/usr/sbin/nginx");
        await Proof.HappensAsync("the new one as soon as it can", () => Eventually.IsAsync(
            server.ServedAsync, serial => serial.Length > 0 && serial != before, what: "another certificate"));
        await Proof.HappensAsync("no request fails", () => load.NothingHasFailedAsync());
    }

    [Fact(Timeout = 400_000)]
    public async Task The_webhook_deploys_what_was_pushed_with_its_migration_and_fails_no_request()
    {
        await EditAsync(Template, page => page.Replace("</footer>", " by webhook</footer>", StringComparison.Ordinal));
        await File.WriteAllTextAsync(
            server.Checkout.File("migrations/versions/005_views.py"), SampleCheckout.RevisionWithViews("005", after: "004"), Cancellation);
        await server.PushAsync();

        await using var load = server.Load();
        Assert.Equal(HttpStatusCode.Unauthorized, await server.WebhookAsync("another-token-of-nobody"));
        Assert.Equal(HttpStatusCode.Accepted, await server.WebhookAsync(RunningProduction.WebhookToken));
        await EventuallyInHistoryAsync("by the webhook  schema 005  serves");
        using var visitor = server.Visitor();
        Assert.Contains("by webhook", await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);
        await load.NothingHasFailedAsync();
        await load.UploadsAreThereAsync();

        Assert.Equal("005", await server.SqlAsync("SELECT version_num FROM alembic_version"));
        // The worker, the toolbox and at last the updater itself are of the version that serves.
        Assert.Equal(await server.ImageAsync("web"), await server.ImageAsync("worker"));
        await Eventually.TrueAsync(
            async () => await server.ImageAsync("updater") == await server.ImageAsync("rosemary"), what: "another updater");
        await Eventually.IsAsync(
            () => server.AskAsync("service", "inspect", "--format", "{{.UpdateStatus.State}}", $"{server.Name}_updater"),
            state => state == "completed", what: "the end of the updater's own update");
        Assert.Equal(await server.ImageAsync("migrator"), await server.ImageAsync("rosemary"));
    }

    [Fact(Timeout = 300_000)]
    public async Task The_updater_alone_has_the_engine_and_no_other_secret_than_the_token()
    {
        foreach (var container in (await server.AskAsync("ps", "--quiet", "--filter", $"name={server.Name}_")).Split('\n'))
        {
            var (service, mounts) = (
                await server.AskAsync("inspect", "--format", "{{index .Config.Labels \"com.docker.swarm.service.name\"}}", container),
                await server.AskAsync("inspect", "--format", "{{range .Mounts}}{{println .Source .Destination}}{{end}}", container));
            Assert.Equal(service == $"{server.Name}_updater", mounts.Contains("docker.sock", StringComparison.Ordinal));
        }

        Assert.Equal("webhook_token", await server.InsideAsync("updater", "ls", "/run/secrets"));
        Assert.DoesNotContain("webhook", await server.InsideAsync("web", "ls", "/run/secrets"), StringComparison.Ordinal);
        // By one path and no other.
        using var visitor = server.Visitor();
        Assert.DoesNotContain("There is nothing here", await ReadAnywayAsync(visitor, "/webhook/deploy/../history"), StringComparison.Ordinal);
    }

    [Fault(FaultArea.Production, "the registry's new image does not start")]
    [Fact(Timeout = 500_000)]
    public async Task A_newer_image_is_deployed_by_itself_and_one_that_does_not_start_is_not_nor_tried_again()
    {
        var (succeeds, output) = await server.DeployAsync("--Uvlhub:Updates:CheckEvery=00:00:03");
        Assert.True(succeeds, output);
        await using var load = server.Load();
        await EditAsync(Template, page => page.Replace("</footer>", " of the registry</footer>", StringComparison.Ordinal));
        await server.PushAsync();
        await EventuallyInHistoryAsync("by the registry  schema 005  serves");
        var good = await server.ImageAsync("web");

        await EditAsync(Code, code => Broken + code);
        await server.PushAsync();
        await EventuallyInHistoryAsync("by the registry  schema 005  failed: web did not come up");
        var history = await HistoryAsync();
        await Task.Delay(TimeSpan.FromSeconds(15), Cancellation);
        await Proof.HappensAsync("the image is not tried again", async () => Assert.Equal(history, await HistoryAsync()));
        await Proof.HappensAsync("the one before it goes on serving, and so do the worker and the toolbox", async () =>
        {
            Assert.Equal(good, await server.ImageAsync("web"));
            Assert.Equal(good, await server.ImageAsync("worker"));
        });
        await Proof.HappensAsync("no request fails", () => load.NothingHasFailedAsync());
        await Proof.DataAsync("what people upload meanwhile is there", load.UploadsAreThereAsync);
        await EditAsync(Code, code => code[Broken.Length..]);
    }

    [Fact(Timeout = 500_000)]
    public async Task A_healthy_version_is_gone_back_from_with_the_rows_of_then_and_none_is_lost()
    {
        // A version that drops what the one before it reads.
        await EditAsync(Template, page => page.Replace("</footer>", " without descriptions</footer>", StringComparison.Ordinal));
        await File.WriteAllTextAsync(server.Checkout.File("migrations/versions/006_fewer.py"), """
            from alembic import op

            revision = "006"
            down_revision = "005"

            def upgrade():
                op.execute("ALTER TABLE feature_model DROP COLUMN views")

            """, Cancellation);
        var before = (await HistoryAsync()).First(line => line.EndsWith("serves", StringComparison.Ordinal)).Split("  ")[1];
        var models = await server.SqlAsync("SELECT id, title FROM feature_model ORDER BY id");
        await server.PushAsync();
        await EventuallyInHistoryAsync("by the registry  schema 006  serves");
        using var visitor = server.Visitor();
        await visitor.SignUpAsync(Cancellation);
        var upload = await visitor.UploadAsync(Cancellation);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => server.RunnerAsync("rollback", server.Name, "v0"));
        Assert.Contains("never served v0", refused.Message, StringComparison.Ordinal);
        var unasked = await Assert.ThrowsAsync<InvalidOperationException>(() => server.RunnerAsync("rollback", server.Name, before));
        Assert.Contains("'--yes' goes back without asking", unasked.Message, StringComparison.Ordinal);
        Assert.Equal("006", await server.SqlAsync("SELECT version_num FROM alembic_version"));

        var said = await server.RunnerAsync("rollback", server.Name, before, "--yes");
        var aside = said.Split("What was written since is in snapshot ")[1].Split('.')[0];
        Assert.Equal("005", await server.SqlAsync("SELECT version_num FROM alembic_version"));
        Assert.StartsWith(models, await server.SqlAsync("SELECT id, title FROM feature_model ORDER BY id"), StringComparison.Ordinal);
        Assert.DoesNotContain("without descriptions", await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.StartsWith($"{before}  by a person on the server", (await HistoryAsync())[0].Split("  ", 2)[1], StringComparison.Ordinal);
        // The registry has the newer one still, and it is not tried again.
        await Task.Delay(TimeSpan.FromSeconds(8), Cancellation);
        Assert.Equal("005", await server.SqlAsync("SELECT version_num FROM alembic_version"));

        // Unless a person wants it.
        await server.RunnerAsync("update", server.Name);
        Assert.Equal("006", await server.SqlAsync("SELECT version_num FROM alembic_version"));
        Assert.Contains("without descriptions", await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);

        // What was set aside is all there.
        Assert.Contains(aside, await server.InsideAsync("rosemary", "UvlhubRunner", "snapshots"), StringComparison.Ordinal);
        Assert.Contains(upload.Text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries)[^1], await server.InsideAsync(
            "rosemary", "sh", "-c", "zcat /var/lib/uvlhub-aspire/snapshots/*/\"$0\"*.sql.gz", aside), StringComparison.Ordinal);
    }

    private async Task EditAsync(string file, Func<string, string> edit) => await File.WriteAllTextAsync(
        server.Checkout.File(file), edit(await File.ReadAllTextAsync(server.Checkout.File(file), Cancellation)), Cancellation);

    private async Task<string[]> HistoryAsync() => (await server.RunnerAsync("history", server.Name)).Split('\n');

    private Task EventuallyInHistoryAsync(string end) => Eventually.IsAsync(
        HistoryAsync, lines => lines[0].Contains(end, StringComparison.Ordinal), TimeSpan.FromMinutes(4), what: $"'{end}' in the history");

    private static async Task<string> ReadAnywayAsync(Visitor visitor, string path)
    {
        try
        {
            return await visitor.ReadAsync(path, Cancellation);
        }
        catch (HttpRequestException refused)
        {
            return refused.Message;
        }
    }
}
