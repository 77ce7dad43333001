using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A newer version takes the place of the one that serves, while people use the site; or does not, where it is none.</summary>
[Collection(ProductionGroup.Name)]
public sealed class ProductionDeploymentTests(RunningProduction production)
{
    private const string Template = "app/templates/base.html";
    private const string Routes = "app/modules/public/routes.py";
    private const string NoPython = "\nthis is no Python\n";

    // Puts jobs into the queue, as the site does, while no worker is there, and ends when one is there again.
    private const string PutIntoTheQueue = """
        import os
        from redis import Redis
        from rq import Queue
        queue = Queue(connection=Redis.from_url(os.environ["REDIS_URL"]))
        print(*[queue.enqueue("operator.mul", number, 7).id for number in range(3)])
        """;

    private const string ReadResults = """
        import os, sys
        from redis import Redis
        from rq.job import Job
        redis = Redis.from_url(os.environ["REDIS_URL"])
        print(*(Job.fetch(job, connection=redis).return_value() for job in sys.argv[1:]))
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uvlhub Uvlhub => production.Uvlhub;

    [Fact(Timeout = 240_000)]
    public async Task A_deployment_by_webhook_fails_no_request_and_removes_the_images_of_the_version_before()
    {
        var template = production.Checkout.File(Template);
        var page = await File.ReadAllTextAsync(template, Cancellation);
        await production.ServesAsync();
        string[] before = [await ImageAsync("web_app_container"), await ImageAsync("rosemary_container")];
        using var visitor = production.Visitor();
        await using var load = production.Load();

        try
        {
            // Nothing to pull: the checkout as it stands.
            var changed = page.Replace("</footer>", " by webhook</footer>", StringComparison.Ordinal);
            await File.WriteAllTextAsync(template, changed, Cancellation);
            Assert.Equal("401", await AskAsync("another-token"));
            Assert.Equal("202", await AskAsync(RunningProduction.WebhookToken));
            await ShowsAsync(visitor, "by webhook");
            await Eventually.IsAsync(
                () => production.RunningIdAsync("web_app_next_container"), id => id.Length == 0, what: "the end of web-next");
            foreach (var image in before)
            {
                await Eventually.TrueAsync(
                    async () => !await Uvlhub.Engine.HasImageAsync(image, Cancellation), what: "the end of an image");
            }
        }
        finally
        {
            await File.WriteAllTextAsync(template, page, CancellationToken.None);
        }

        await load.NothingHasFailedAsync();
        await load.UploadsAreThereAsync();
        // The worker does its work with the code that serves.
        Assert.Equal(await ImageAsync("web_app_container"), await ImageAsync("rq_worker_container"));
        var environment = await production.InsideAsync("web_app_container", "env");
        Assert.DoesNotContain(RunningProduction.WebhookToken, environment, StringComparison.Ordinal);
        Assert.Equal("", await production.InsideAsync("web_app_container", "sh", "-c", "ls /var/run/docker.sock 2>/dev/null || true"));

        // As uvlhub's own workflow does it; the image of nginx has curl.
        Task<string> AskAsync(string token) => production.InsideAsync(
            "nginx_web_server_container", "curl", "--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}",
            "--resolve", $"{RunningProduction.Domain}:443:127.0.0.1",
            "--request", "POST", new Uri(production.Site, "/webhook/deploy").ToString(), "--header", $"Authorization: Bearer {token}");
    }

    [Fact(Timeout = 240_000)]
    public async Task A_deployment_with_a_migration_keeps_every_row_and_fails_no_request()
    {
        await production.ServesAsync();
        using var visitor = production.Visitor();
        await visitor.SignUpAsync(Cancellation);
        var upload = await visitor.UploadAsync(Cancellation);
        var last = await production.SqlAsync("SELECT MAX(id) FROM feature_model");
        var rows = await RowsAsync();
        var (head, next) = (production.Head, $"{int.Parse(production.Head, CultureInfo.InvariantCulture) + 1:000}");

        await production.Origin.PushAsync($"migrations/versions/{next}_views.py", _ => SampleCheckout.RevisionWithViews(next, after: head), Cancellation);
        await using var load = production.Load();
        var deployed = await production.DeployAsync();
        Assert.True(deployed.Success, deployed.Message);
        await load.NothingHasFailedAsync();
        await load.UploadsAreThereAsync();

        Assert.Equal(next, await production.SqlAsync("SELECT version_num FROM alembic_version"));
        Assert.Equal("0", await production.SqlAsync("SELECT MAX(views) FROM feature_model"));
        Assert.Equal(rows, await RowsAsync());
        Assert.Contains(Visitor.LoggedIn, await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.Equal(upload.Text, await visitor.DownloadAsync(upload, Cancellation));

        // Of those that were there before; visitors make more of them meanwhile.
        Task<string> RowsAsync() => production.SqlAsync($"""
            SELECT id, user_id, title, description, filename, checksum, uvl, features, constraints, created_at FROM feature_model
                WHERE id <= {last} ORDER BY id;
            SELECT * FROM user WHERE id <= (SELECT user_id FROM feature_model WHERE id = {last}) ORDER BY id;
            SELECT * FROM user_profile WHERE user_id <= (SELECT user_id FROM feature_model WHERE id = {last}) ORDER BY id
            """);
    }

    [Fact(Timeout = 240_000)]
    public async Task A_job_that_is_queued_while_there_is_no_worker_is_done_by_the_next_one()
    {
        // As a deployment stops it before the switch, only for longer: that moment is too short to put a job into it for sure.
        var stopped = await production.Uvlhub.App.ResourceCommands.ExecuteCommandAsync(
            "worker", KnownResourceCommands.StopCommand, Cancellation);
        Assert.True(stopped.Success, stopped.Message);
        var jobs = (await production.InsideAsync("web_app_container", "python", "-c", PutIntoTheQueue)).Split(' ');
        Assert.Equal("", await production.RunningIdAsync("rq_worker_container"));
        var deployed = await production.DeployAsync();
        Assert.True(deployed.Success, deployed.Message);
        await Eventually.IsAsync(
            () => production.InsideAsync("web_app_container", ["python", "-c", ReadResults, .. jobs]),
            results => results == string.Join(' ', jobs.Select((_, number) => number * 7)), what: "the results of all jobs");
    }

    [Fault(FaultArea.Production, "a new version does not start")]
    [Fact(Timeout = 240_000)]
    public async Task A_version_that_does_not_start_replaces_nothing_and_its_commit_is_taken_back()
    {
        await production.ServesAsync();
        var commit = await production.Origin.CheckedOutAsync(Cancellation);
        var container = await production.RunningIdAsync("web_app_container");
        await production.Origin.PushAsync(Routes, code => code + NoPython, Cancellation);
        await using var load = production.Load();
        var refused = await production.DeployAsync();
        await production.Origin.RevertAsync(Cancellation);

        Assert.False(refused.Success);
        Proof.Reads("does not start", refused.Message ?? "");
        await Proof.HappensAsync("the one before it goes on serving", async () =>
            Assert.Equal(container, await production.RunningIdAsync("web_app_container")));
        await Proof.HappensAsync("no request fails", () => load.NothingHasFailedAsync());
        await Proof.HappensAsync("the new one is stopped", async () =>
            Assert.Equal("", await production.RunningIdAsync("web_app_next_container")));
        await Proof.HappensAsync("the commit that was pulled is taken back", async () =>
            Assert.Equal(commit, await production.Origin.CheckedOutAsync(Cancellation)));
        await Proof.DataAsync("what people upload meanwhile is there", load.UploadsAreThereAsync);
    }

    [Fault(FaultArea.Production, "the registry's new image does not start")]
    [Fact(Timeout = 480_000)]
    public async Task A_newer_image_in_the_registry_is_deployed_and_one_that_does_not_start_is_not()
    {
        await using var registry = await LocalRegistry.StartAsync($"{Uvlhub.Instance}_registry", Cancellation);
        var image = $"{registry.Address}/minihub:latest";
        // As a team builds it, on the packages that the stand-in has.
        var packages = ImageRecipe.StandIn(RepositoryFolder.StandIn("flask")).Image;
        var first = await registry.PushAsync(
            "minihub", "1", $"FROM {packages}\nWORKDIR /app\nCOPY . .", Cancellation, production.Checkout.Path);
        await LocalRegistry.PullAsync(image, Cancellation);

        await using var updated = await Uvlhub.StartHealthyAsync(
            production.Checkout.Path, Uvlhub.NewInstance(), Cancellation,
            "--Uvlhub:Environment=Production", "--Uvlhub:Gunicorn:Workers=1", "--Uvlhub:Services=nginx",
            $"--Uvlhub:Deploy:Image={image}", "--Uvlhub:Deploy:CheckEvery=00:00:01");
        await updated.App.ResourceNotifications.WaitForResourceHealthyAsync("nginx", Cancellation);
        var site = updated.EndpointOf("nginx", "http");
        using var visitor = new Visitor(site);
        // nginx is there before the site is, and learns its address within a second.
        await ShowsAsync(visitor, "MINIHUB");
        await using var load = new Load(site);

        var second = await registry.PushAsync(
            "minihub", "2", $"FROM {first}\nRUN sed -i 's#</footer>#of the registry</footer>#' {Template}", Cancellation);
        await ShowsAsync(visitor, "of the registry");

        var third = await registry.PushAsync("minihub", "3", $"FROM {second}\nRUN echo '{NoPython.Trim()}' >>{Routes}", Cancellation);
        await updated.App.ResourceNotifications.WaitForResourceAsync("web-next", state => state.Snapshot.ExitCode is > 0, Cancellation);
        // What the next start would take is what serves.
        var serves = await LocalRegistry.IdAsync(second, Cancellation);
        await Eventually.IsAsync(
            () => LocalRegistry.IdAsync(image, Cancellation), id => id == serves, what: "the image that serves, under its name");
        Assert.NotEqual(serves, await LocalRegistry.IdAsync(third, Cancellation));

        // Each question is a pull, whose answer is then put back.
        var (asked, attempts) = (await registry.QuestionsAsync("minihub", Cancellation), await AttemptsAsync());
        await Eventually.IsAsync(
            () => registry.QuestionsAsync("minihub", Cancellation), questions => questions > asked
                + 5, what: "more questions to the registry");
        await Proof.HappensAsync("the image is not tried again", async () => Assert.Equal(attempts, await AttemptsAsync()));
        await Proof.HappensAsync("the one before it goes on serving", async () =>
            Assert.Contains("of the registry", await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal));
        await Proof.HappensAsync("no request fails", () => load.NothingHasFailedAsync());
        await Proof.DataAsync("what people upload meanwhile is there", load.UploadsAreThereAsync);

        // Each begins with the migrator, and gets as far as web-next.
        async Task<(DateTime?, DateTime?)> AttemptsAsync() => (await StartedAsync("migrator"), await StartedAsync("web-next"));

        async Task<DateTime?> StartedAsync(string resource) =>
            (await updated.App.ResourceNotifications.WaitForResourceAsync(resource, _ => true, Cancellation)).Snapshot.StartTimeStamp;
    }

    private Task<string> ImageAsync(string container) => production.InspectAsync(container, "{{.Image}}");

    private static Task ShowsAsync(Visitor visitor, string text) => Eventually.TrueAsync(
        async () => (
            await visitor.ReadAsync("/", Cancellation)).Contains(text, StringComparison.Ordinal), what: $"'{text}' on the first page");
}
