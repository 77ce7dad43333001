using System.Text.Json.Nodes;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary><c>./run</c> in a fresh clone: the first thing that a new user does.</summary>
[Collection(ScriptsGroup.Name)]
public sealed class RunCommandTests(ClonedRepository repository)
{
    private static readonly string[] s_quiet = ["--non-interactive", "--nologo", "--apphost", "AppHost/AppHost.csproj"];

    [Fact(Timeout = 900_000)]
    public async Task Detached_it_returns_when_the_site_is_healthy_and_neither_stop_nor_Ctrl_C_leaves_a_container_or_a_network()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var clone = repository.Clone;
        var instance = Uvlhub.NewInstance();
        try
        {
            var started = await clone.ExecuteAsync("./run", ["--detach", $"--Uvlhub:Instance={instance}"], cancellation);
            Assert.True(started.IsSuccess, started.StandardOutput + started.StandardError);

            var site = started.StandardOutput.Split('\n').Single(line => line.StartsWith("uvlhub is ready at ", StringComparison.Ordinal))
                .Split(' ')[^1];
            using var client = new HttpClient();
            Assert.Contains("Coffee machine", await client.GetStringAsync(new Uri(site), cancellation), StringComparison.Ordinal);

            var described = await clone.ExecuteAsync(
                "dotnet", ["tool", "run", "aspire", "--", "describe", "--format", "json", .. s_quiet], cancellation);
            // The passwords of the sample.
            Assert.DoesNotContain("uvlhubdb_password", described.StandardOutput, StringComparison.Ordinal);
            Assert.DoesNotContain("uvlhubdb_root_password", described.StandardOutput, StringComparison.Ordinal);
            Assert.DoesNotContain("x-otlp-api-key", described.StandardOutput, StringComparison.Ordinal);
            var resources = JsonNode.Parse(described.StandardOutput)!["resources"]!.AsArray()
                .ToDictionary(resource => resource!["displayName"]!.GetValue<string>(), resource => resource!);
            foreach (var name in (string[])["db", "uvlhubdb", "web"])
            {
                Assert.Equal("Healthy", resources[name]["healthStatus"]!.GetValue<string>());
            }

            Assert.Equal("Finished", resources["migrator"]["state"]!.GetValue<string>());
            Assert.Equal(0, resources["migrator"]["exitCode"]!.GetValue<int>());

            var stopped = await clone.ExecuteAsync("./run", ["--stop"], cancellation);
            Assert.True(stopped.IsSuccess, stopped.StandardOutput + stopped.StandardError);
            Assert.Empty(await new InstanceOnEngine(instance).OfARunAsync());

            await clone.InterruptAsync("run", [$"--Uvlhub:Instance={instance}"], "uvlhub is ready at ", cancellation);
            Assert.Empty(await new InstanceOnEngine(instance).OfARunAsync());
        }
        finally
        {
            await clone.StopAsync();
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    // Whichever comes first builds the clone.
    [Theory(Timeout = 900_000)]
    [InlineData("", 0, " 0 unexplained, ")]
    [InlineData("    entrypoint: /own.sh\n", 1, "db: runs /own.sh; the model runs the image's own command")]
    public async Task With_check_nothing_is_started_and_a_difference_that_nobody_meant_is_exit_code_1(
        string added, int exitCode, string message)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var checkout = new SampleCheckout();
        var compose = checkout.File("docker/docker-compose.dev.yml");
        const string Above = "    container_name: mariadb_container\n";
        var text = await File.ReadAllTextAsync(compose, cancellation);
        await File.WriteAllTextAsync(compose, text.Replace(Above, Above + added, StringComparison.Ordinal), cancellation);
        var instance = Uvlhub.NewInstance();

        string[] words = ["--check", checkout.Path, "--", $"--Uvlhub:Instance={instance}"];
        var run = await repository.Clone.ExecuteAsync("./run", words, cancellation);

        Assert.True(run.ExitCode == exitCode, run.StandardOutput + run.StandardError);
        Assert.Contains(message, run.StandardOutput, StringComparison.Ordinal);
        await InstanceOnEngine.NothingWasMadeAsync(instance);
    }

    [Fault(FaultArea.Checkout, "the folder is no checkout")]
    [Theory(Timeout = 900_000)]
    [InlineData("nowhere", "there is no folder nowhere")]
    [InlineData("tests", "is no uvlhub checkout: it lacks app/__init__.py")]
    public async Task A_folder_that_is_no_checkout_is_one_clear_message(string folder, string message)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var instance = Uvlhub.NewInstance();
        var run = await repository.Clone.ExecuteAsync("./run", [folder, $"--Uvlhub:Instance={instance}"], cancellation);
        Proof.Happens("said in one line, with what it lacks", () =>
        {
            Assert.Equal(2, run.ExitCode);
            var line = Assert.Single(run.StandardError.Split('\n'), line => line.StartsWith("UvlhubAspire: ", StringComparison.Ordinal));
            Assert.Contains(message, line, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", run.StandardOutput + run.StandardError, StringComparison.Ordinal);
        });
        Proof.Reads(message, run.StandardError);
        await InstanceOnEngine.NothingWasMadeAsync(instance);
    }
}
