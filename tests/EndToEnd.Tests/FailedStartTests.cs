using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Starts that fail in the middle: the cause stands on the console, and the AppHost can be ended.</summary>
public sealed class FailedStartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Checkout, "the image of the checkout cannot be built")]
    [Fact(Timeout = 300_000)]
    public async Task An_image_that_cannot_be_built_shows_the_builders_last_lines()
    {
        using var checkout = new SampleCheckout();
        // On an image that is here, so that the checkout's own Dockerfile is what is built.
        await File.WriteAllTextAsync(
            checkout.File("docker/images/Dockerfile.dev"),
            $"FROM {ImageRecipe.StandIn(RepositoryFolder.StandIn("mariadb")).Image}\nWORKDIR /app\nRUN echo 'no package of that name' >&2 "
            + "&& exit 42\n",
            Cancellation);
        await FailedAsync(
            checkout, "auto", ["rosemary cannot start. ", "Dockerfile.dev:3: RUN echo ", "failed with exit code 42:", "  no package of that name"],
            "the builder's last lines are the cause, on the console",
            async engine =>
            {
                await SiteDoesNotStartAsync(engine);
                Proof.Data("nothing was begun: no database of the site has a table", "", await engine.TablesAsync());
            });
    }

    [Fault(FaultArea.Engine, "the registry is absent")]
    [Fact(Timeout = 300_000)]
    public async Task A_registry_that_does_not_answer_is_the_cause()
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(
            checkout.File("docker/images/Dockerfile.dev"), "FROM 127.0.0.1:1/python:3.12-slim\nWORKDIR /app\n", Cancellation);
        await FailedAsync(
            checkout, "registry",
            [
                "What helps: nobody answers there: check the network", "connection refused",
                "rosemary cannot start. 127.0.0.1:1/python:3.12-slim cannot be pulled: ",
            ],
            "where no stand-in is allowed, the engine's reason is the cause",
            SiteDoesNotStartAsync);
    }

    [Fact(Timeout = 300_000)]
    public async Task Who_waits_for_a_database_that_cannot_start_ends_waiting()
    {
        using var checkout = new SampleCheckout();
        // An image of its own, as on a machine where none is there yet: the migrator waits for what has to be built.
        await File.WriteAllTextAsync(
            checkout.File(
                "docker/images/Dockerfile.dev"), $"FROM {ImageRecipe.StandIn(RepositoryFolder.StandIn("flask")).Image}\nWORKDIR "
                + "/app\n", Cancellation);
        var instance = Uvlhub.NewInstance();
        try
        {
            var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
                [$"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={instance}"], Cancellation);
            builder.Eventing.Subscribe<BeforeResourceStartedEvent>(
                builder.Resources.Single(
                    resource => resource.Name == "db"), (_, _) => throw new DistributedApplicationException("its image was not built"));
            await using var app = await builder.BuildAsync(Cancellation);
            await app.StartAsync(Cancellation);

            foreach (var resource in (string[])["db", "uvlhubdb", "uvlhubdb-test", "migrator", "web"])
            {
                await app.ResourceNotifications.WaitForResourceAsync(resource, KnownResourceStates.FailedToStart, Cancellation);
            }
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
            await Uvlhub.RemoveImagesAsync(checkout);
        }
    }

    [Fault(FaultArea.Migration, "a revision fails while the site starts")]
    [Fact(Timeout = 300_000)]
    public async Task A_failing_revision_is_on_the_console_and_leaves_an_empty_database_and_no_site()
    {
        using var checkout = new SampleCheckout();
        await AddFailingRevisionAsync(checkout);
        // What './run --detach' follows.
        var report = checkout.File("../report");
        await File.WriteAllTextAsync(report, "", Cancellation);
        await FailedAsync(
            checkout, "auto",
            [
                "The migrator has failed (exit code 5), so the site does not start", "nowhere' doesn't exist",
                "'flask db upgrade' failed in revision 005",
            ],
            "the migrator's cause stands on the console",
            async engine =>
            {
                await Proof.HappensAsync(
                    "'./run --detach' ends with that cause", () => ReportEndsAsync(report, "'flask db upgrade' failed in revision 005"));
                await SiteDoesNotStartAsync(engine);
                Proof.Data("put back: no database of the site has a table, as before", "", await engine.TablesAsync());
            },
            $"--Uvlhub:Report={report}");
    }

    [Fault(FaultArea.Checkout, "every page of the site fails")]
    [Fact(Timeout = 300_000)]
    public async Task A_site_whose_pages_fail_is_named_with_page_and_exception_and_ends_the_start()
    {
        using var checkout = new SampleCheckout();
        await File.AppendAllTextAsync(checkout.File("app/templates/base.html"), "{{ url_for('nowhere.page') }}\n", Cancellation);
        // What './run --detach' follows.
        var report = checkout.File("../report");
        await File.WriteAllTextAsync(report, "", Cancellation);
        await FailedAsync(
            checkout, "auto",
            ["/ answers 500: werkzeug.routing.exceptions.BuildError: Could not build url for endpoint 'nowhere.page'"],
            "the page and the exception stand on the console",
            _ => Proof.HappensAsync("after a while './run --detach' ends with it", () => ReportEndsAsync(report, "answers 500")),
            $"--Uvlhub:Report={report}", "--Uvlhub:Patience=00:00:05");
    }

    /// <summary>Gives a checkout a revision 005 on which the migrator fails.</summary>
    internal static Task AddFailingRevisionAsync(SampleCheckout checkout) => File.WriteAllTextAsync(
        checkout.File("migrations/versions/005.py"),
        "from alembic import op\nrevision = '005'\ndown_revision = '004'\ndef upgrade():\n    op.execute('SELECT nonsense FROM nowhere')\n",
        Cancellation);

    // As a failure, when it has said why.
    private static Task ReportEndsAsync(string report, string cause) => Eventually.IsAsync(
        () => File.ReadAllTextAsync(report, Cancellation),
        text => text.TrimEnd().EndsWith("#failed", StringComparison.Ordinal) && text.Contains(cause, StringComparison.Ordinal),
        TimeSpan.FromSeconds(30), "the start's report to end");

    private static Task SiteDoesNotStartAsync(InstanceOnEngine engine) => Proof.HappensAsync(
        "the site does not start: it has no container",
        async () => Assert.DoesNotContain(engine.Names.WebContainer, await engine.ContainersAfterGraceAsync()));

    private static async Task FailedAsync(
        SampleCheckout checkout, string images, string[] messages, string claim, Func<InstanceOnEngine, Task> afterwards,
        params string[] settings)
    {
        var instance = Uvlhub.NewInstance();
        try
        {
            await using var host = AppHostProcess.Start(
                new Dictionary<string, string>(),
                [$"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={instance}", $"--Uvlhub:Images={images}", .. settings]);
            await Proof.HappensAsync(claim, async () =>
            {
                foreach (var message in messages)
                {
                    await host.PrintedAsync(message, Cancellation);
                }

                Proof.Reads(messages[^1], host.Output);
            });
            await afterwards(new InstanceOnEngine(instance));
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
            await Uvlhub.RemoveImagesAsync(checkout);
        }
    }
}
