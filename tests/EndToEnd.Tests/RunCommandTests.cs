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

            var site = started.StandardOutput.Split('\n').Single(line => line.StartsWith("uvlhub is ready at ", StringComparison.Ordinal)).Split(' ')[^1];
            using var client = new HttpClient();
            Assert.Contains("Coffee machine", await client.GetStringAsync(new Uri(site), cancellation), StringComparison.Ordinal);

            var described = await clone.ExecuteAsync("dotnet", ["tool", "run", "aspire", "--", "describe", "--format", "json", .. s_quiet], cancellation);
            // The passwords of the sample.
            Assert.DoesNotContain("uvlhubdb_password", described.StandardOutput, StringComparison.Ordinal);
            Assert.DoesNotContain("uvlhubdb_root_password", described.StandardOutput, StringComparison.Ordinal);
            Assert.DoesNotContain("x-otlp-api-key", described.StandardOutput, StringComparison.Ordinal);
            var resources = JsonNode.Parse(described.StandardOutput)!["resources"]!.AsArray().ToDictionary(resource => resource!["displayName"]!.GetValue<string>(), resource => resource!);
            foreach (var name in (string[])["db", "uvlhubdb", "web"])
            {
                Assert.Equal("Healthy", resources[name]["healthStatus"]!.GetValue<string>());
            }

            Assert.Equal("Finished", resources["migrator"]["state"]!.GetValue<string>());
            Assert.Equal(0, resources["migrator"]["exitCode"]!.GetValue<int>());

            var stopped = await clone.ExecuteAsync("./run", ["--stop"], cancellation);
            Assert.True(stopped.IsSuccess, stopped.StandardOutput + stopped.StandardError);
            Assert.Equal("", await LeftAsync(instance, cancellation));

            var printed = await clone.InterruptAsync("run", [$"--Uvlhub:Instance={instance}"], "uvlhub is ready at ", cancellation);
            Assert.Contains("uvlhub is ready at ", printed, StringComparison.Ordinal);
            Assert.Equal("", await LeftAsync(instance, cancellation));
        }
        finally
        {
            await clone.ExecuteAsync("./run", ["--stop"], CancellationToken.None);
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    private static async Task<string> LeftAsync(string instance, CancellationToken cancellationToken)
    {
        var limit = TimeSpan.FromSeconds(30);
        var containers = await Uvlhub.Engine.RunAsync(limit, cancellationToken, "ps", "--all", "--format", "{{.Names}}", "--filter", $"name=^{instance}_");
        var networks = await Uvlhub.Engine.RunAsync(limit, cancellationToken, "network", "ls", "--format", "{{.Name}}", "--filter", $"name=^{instance}_");
        return containers.Output + networks.Output;
    }

    [Fault(FaultArea.Checkout, "the folder is no checkout", Happens = "said in one line, with what it lacks")]
    [Theory(Timeout = 300_000)]
    [InlineData("nowhere", "there is no folder nowhere")]
    [InlineData("tests", "is no uvlhub checkout: it lacks app/__init__.py")]
    public async Task A_folder_that_is_no_checkout_is_one_clear_message(string folder, string message)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var clone = repository.Clone;
        var run = await clone.ExecuteAsync("./run", [folder], cancellation);
        Assert.NotEqual(0, run.ExitCode);
        Proof.Reads(message, run.StandardError);
        Assert.DoesNotContain("   at ", run.StandardOutput + run.StandardError, StringComparison.Ordinal);
    }
}
