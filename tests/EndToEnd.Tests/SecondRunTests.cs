using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What stays between two runs, and what does not.</summary>
public sealed class SecondRunTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    [Fault(FaultArea.Machine, "the AppHost ends and is started again")]
    [Fact(Timeout = 600_000)]
    public async Task A_second_run_keeps_the_data_seeds_nothing_again_and_the_first_leaves_no_container()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var checkout = new SampleCheckout();
        var instance = Uvlhub.NewInstance();
        var engine = new InstanceOnEngine(instance);
        try
        {
            var rows = "";
            await ServeAsync(checkout, instance, async first =>
            {
                await first.ScalarAsync("uvlhubdb", "UPDATE user_profile SET surname = 'kept' ORDER BY id LIMIT 1", cancellation);
                rows = await engine.RowsAsync();
                Assert.Contains("'kept'", rows, StringComparison.Ordinal);
            });
            await Proof.HappensAsync("the first leaves no container and no network", async () => Assert.Empty(await engine.OfARunAsync()));

            await ServeAsync(checkout, instance, async second =>
            {
                var migrator = await second.LogAsync("migrator", cancellation);
                Proof.Happens(
                    "the second migrates and seeds nothing again",
                    () => Assert.Contains("nothing to do", migrator, StringComparison.Ordinal));
                Proof.Data("a dump of all rows is the same", rows, await engine.RowsAsync());
            });
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task A_clone_whose_folder_has_the_same_name_never_opens_the_others_database()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var checkout = new SampleCheckout("minihub");
        using var clone = new SampleCheckout("minihub");
        var instance = Uvlhub.NewInstance();
        try
        {
            await ServeAsync(checkout, instance, first => first.ScalarAsync(
                "uvlhubdb", "UPDATE user_profile SET surname = 'kept' ORDER BY id LIMIT 1", cancellation));
            await ServeAsync(clone, instance, async second => Assert.Equal("0", await KeptAsync(second)));
            await ServeAsync(checkout, instance, async third => Assert.Equal("1", await KeptAsync(third)));
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }

        Task<string> KeptAsync(Uvlhub uvlhub) =>
            uvlhub.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM user_profile WHERE surname = 'kept'", cancellation);
    }

    [Fact(Timeout = 600_000)]
    public async Task Compose_starts_where_a_run_has_been_and_a_run_where_compose_has_been()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var checkout = new SampleCheckout();
        var instance = Uvlhub.NewInstance();
        var network = new InstanceNames(instance).Network;
        try
        {
            await ServeAsync(checkout, instance, async first =>
            {
                var image = await first.InspectAsync("nginx_web_server_container", "{{.Config.Image}}", cancellation);
                await File.WriteAllTextAsync(
                    checkout.File("../compose.yml"),
                    $"""
                    name: {instance}
                    services:
                      other:
                        image: {image}
                        entrypoint: [sleep, infinity]
                        init: true
                        networks: [{network}]
                    networks:
                      {network}:
                        name: {network}
                    """,
                    cancellation);
                // So that the run's network outlives it, as that of a killed run does.
                await ComposeAsync("up", "--detach");
            });
            var left = await IdAsync();
            await ComposeAsync("up", "--detach", "--force-recreate");
            await ComposeAsync("stop");

            await ServeAsync(checkout, instance, async second => Assert.Contains(
                left,
                await second.InspectAsync("web_app_container", "{{range .NetworkSettings.Networks}}{{.NetworkID}} {{end}}", cancellation),
                StringComparison.Ordinal));

            await ComposeAsync("up", "--detach");
            await ComposeAsync("down");
            await Uvlhub.EngineAsync(s_limit, cancellation, "network", "rm", network);
            await ComposeAsync("up", "--detach");
            await ComposeAsync("stop");
            var composes = await IdAsync();

            await ServeAsync(checkout, instance, _ => Task.CompletedTask);

            Assert.Equal(composes, await IdAsync());
            await ComposeAsync("up", "--detach");
        }
        finally
        {
            await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "compose", "--file", checkout.File("../compose.yml"), "down");
            await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "network", "rm", network);
            await Uvlhub.RemoveLeftoversAsync(instance);
        }

        Task<string> IdAsync() => Uvlhub.EngineAsync(s_limit, cancellation, "network", "inspect", "--format", "{{.Id}}", network);
        Task<string> ComposeAsync(params string[] words) => Uvlhub.EngineAsync(
            s_limit, CancellationToken.None, ["compose", "--file", checkout.File("../compose.yml"), .. words]);
    }

    private static async Task ServeAsync(SampleCheckout checkout, string instance, Func<Uvlhub, Task> whileServed)
    {
        var uvlhub = await Uvlhub.StartHealthyAsync(checkout.Path, instance, TestContext.Current.CancellationToken);
        try
        {
            await whileServed(uvlhub);
        }
        finally
        {
            await uvlhub.StopAsync(CancellationToken.None);
        }
    }
}
