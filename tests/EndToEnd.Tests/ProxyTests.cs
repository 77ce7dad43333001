using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A machine whose user has a proxy in the environment, as on a university's network.</summary>
public sealed class ProxyTests
{
    private const string Password = "proxy-pass-8842";

    // On the engine's bridge nobody listens here: whatever is asked through it does not come.
    private const string Address = "172.17.0.1:9";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Machine, "the environment names a proxy, and makes no exception of the machine itself")]
    [Fact(Timeout = 240_000)]
    public async Task Behind_a_proxy_the_site_comes_up_and_its_containers_are_told_of_it_where_nobody_reads_the_password()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        using var checkout = new SampleCheckout();
        var instance = Uvlhub.NewInstance();
        try
        {
            await using var host = AppHostProcess.Start(
                new Dictionary<string, string>
                {
                    ["HTTP_PROXY"] = $"http://ana:{Password}@{Address}",
                    ["https_proxy"] = $"http://{Address}",
                    ["NO_PROXY"] = "git.campus",
                    ["PIP_INDEX_URL"] = $"http://ben:{Password}@{Address}/simple",
                    ["PIP_EXTRA_INDEX_URL"] = "http://localhost:3141/simple",
                },
                $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={instance}");
            await Proof.HappensAsync("what runs on the machine asks it directly, and the site comes up", async () =>
            {
                await host.ReadyAsync(Cancellation);
                Proof.Reads("Builds and containers do without pip's extra-index-url (localhost:3141)", host.Output);
            });

            var container = $"{instance}_{InstanceOnEngine.Site}";
            var variables = (await Uvlhub.EngineAsync(s_limit, Cancellation, "exec", container, "env")).Split('\n');
            Assert.Contains($"http_proxy=http://ana:{Password}@{Address}", variables);
            Assert.Contains($"HTTPS_PROXY=http://{Address}", variables);
            Assert.Contains($"PIP_INDEX_URL=http://ben:{Password}@{Address}/simple", variables);
            Assert.DoesNotContain(variables, variable => variable.StartsWith("PIP_EXTRA", StringComparison.Ordinal));
            Assert.Contains(variables, variable => variable.StartsWith("NO_PROXY=git.campus,localhost,", StringComparison.Ordinal)
                && variable.Split(',').Contains(container) && variable.Split(',').Contains("db"));
            Assert.DoesNotContain(Password, host.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(
                Directory.EnumerateFiles("/proc", "cmdline", new EnumerationOptions { MaxRecursionDepth = 1, RecurseSubdirectories = true })
                    .Select(Line), line => line.Contains(Password, StringComparison.Ordinal));
        }
        finally
        {
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    private static string Line(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            // The process has ended.
            return "";
        }
    }
}
