using System.Formats.Tar;
using System.IO.Compression;
using UvlhubAspire.Checkout;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary><c>./ci</c> in a fresh clone, as a fork's workflow runs it.</summary>
[Collection(ScriptsGroup.Name)]
public sealed class CiTests(ClonedRepository repository)
{
    private static readonly string s_root = Path.GetDirectoryName(RepositoryFolder.Images)!;

    [Fact(Timeout = 900_000)]
    public async Task A_checkouts_tests_run_and_a_failing_one_is_named_with_logs_and_traces_kept_and_nothing_left_running()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var clone = repository.Clone;
        using var checkout = new SampleCheckout();
        KeepFewTests(checkout);
        string[] secrets = ["a-users-password", "a-roots-password", "a-key-of-sessions"];
        await File.WriteAllTextAsync(
            checkout.File(".env"), (await File.ReadAllTextAsync(checkout.File(".env.docker.example"), cancellation))
            .Replace("uvlhubdb_root_password", secrets[1], StringComparison.Ordinal)
            .Replace("uvlhubdb_password", secrets[0], StringComparison.Ordinal) + $"\nSECRET_KEY={secrets[2]}\n", cancellation);
        var instance = Uvlhub.NewInstance();
        var results = checkout.File("../results");
        string[] words = ["--output", results, checkout.Path, "--", $"--Uvlhub:Instance={instance}"];
        try
        {
            var passed = await clone.ExecuteAsync("./ci", words, cancellation);
            Assert.True(passed.ExitCode == 0, passed.StandardOutput + passed.StandardError);
            Assert.Matches(@"pytest: \d+ passed", passed.StandardOutput);
            Assert.Matches(@"Selenium tests: \d+ passed", passed.StandardOutput);

            await File.WriteAllTextAsync(
                checkout.File("app/modules/auth/tests/test_fails.py"), "def test_fails():\n    assert 1 == 2, 'on purpose'\n",
                cancellation);
            // The browser has had its turn.
            File.Delete(checkout.File("app/modules/auth/tests/test_selenium.py"));
            var images = checkout.File("../images.tar");
            var failed = await clone.ExecuteAsync("./ci", ["--images", images, .. words], cancellation);
            Assert.True(failed.ExitCode == 1, failed.StandardOutput + failed.StandardError);
            Assert.Contains("\"uvlhub-aspire/mariadb:", await ManifestAsync(images), StringComparison.Ordinal);
            Assert.Contains("test_fails.py::test_fails - AssertionError: on purpose", failed.StandardOutput, StringComparison.Ordinal);

            var summary = await File.ReadAllTextAsync(Path.Combine(results, "summary.md"), cancellation);
            Assert.Matches(@"### pytest: 1 failed, \d+ passed", summary);
            Assert.Contains("test_fails.py::test_fails", summary, StringComparison.Ordinal);
            Assert.Contains("### Selenium tests: there are none", summary, StringComparison.Ordinal);
            await using var environment = await ZipFile.OpenReadAsync(Path.Combine(results, "environment.zip"), cancellation);
            var entries = environment.Entries.ToDictionary(entry => entry.FullName);
            using var log = new StreamReader(await entries["consolelogs/rosemary.txt"].OpenAsync(cancellation));
            Assert.Contains("test_fails.py::test_fails FAILED", await log.ReadToEndAsync(cancellation), StringComparison.Ordinal);
            Assert.True(entries["consolelogs/migrator.txt"].Length > 0);
            Assert.True(entries["traces/migrator.json"].Length > 0);

            // Artifacts are read by more people than the machine is.
            foreach (var entry in environment.Entries)
            {
                using var reader = new StreamReader(await entry.OpenAsync(cancellation));
                var text = await reader.ReadToEndAsync(cancellation);
                Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
            }

            Assert.Empty(await new InstanceOnEngine(instance).OfARunAsync());
        }
        finally
        {
            await clone.StopAsync();
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task Tests_that_could_not_be_run_are_exit_code_2_with_logs_kept_and_nothing_left_running()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var clone = repository.Clone;
        using var checkout = new SampleCheckout();
        await FailedStartTests.AddFailingRevisionAsync(checkout);
        var instance = Uvlhub.NewInstance();
        var results = checkout.File("../results");
        try
        {
            // Said so, the services are not more than these: no browser is waited for.
            string[] settings = [$"--Uvlhub:Instance={instance}", "--Uvlhub:Services=-nginx"];
            var ci = await clone.ExecuteAsync("./ci", ["--output", results, checkout.Path, "--", .. settings], cancellation);

            Assert.True(ci.ExitCode == 2, ci.StandardOutput + ci.StandardError);
            Assert.Contains("The environment: did not start", ci.StandardOutput, StringComparison.Ordinal);
            var summary = await File.ReadAllTextAsync(Path.Combine(results, "summary.md"), cancellation);
            Assert.Equal("### The environment: did not start", summary.Trim());
            await using var environment = await ZipFile.OpenReadAsync(Path.Combine(results, "environment.zip"), cancellation);
            var migrator = environment.Entries.Single(entry => entry.FullName == "consolelogs/migrator.txt");
            using var log = new StreamReader(await migrator.OpenAsync(cancellation));
            Assert.Contains("'flask db upgrade' failed in revision 005", await log.ReadToEndAsync(cancellation), StringComparison.Ordinal);
            Assert.Empty(await new InstanceOnEngine(instance).OfARunAsync());
        }
        finally
        {
            await clone.StopAsync();
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    [Fact(Timeout = 600_000)]
    public async Task A_grid_that_cannot_start_is_named_with_its_cause_and_costs_no_wait()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var clone = repository.Clone;
        using var checkout = new SampleCheckout();
        KeepFewTests(checkout);
        var file = checkout.File("docker/docker-compose.dev.yml");
        await File.WriteAllTextAsync(
            file, (await File.ReadAllTextAsync(file, cancellation)).Replace("services:\n", """
                services:
                  selenium-hub: { image: "selenium/hub:4.35.0", mem_limit: 1k }
                  selenium-chrome: { image: "selenium/node-chrome:4.35.0", depends_on: [ selenium-hub ] }

                """, StringComparison.Ordinal), cancellation);
        var instance = Uvlhub.NewInstance();
        var results = checkout.File("../results");
        try
        {
            var ci = await clone.ExecuteAsync(
                "./ci", ["--output", results, checkout.Path, "--", $"--Uvlhub:Instance={instance}"], cancellation);

            var said = ci.StandardOutput + ci.StandardError;
            Assert.True(ci.ExitCode == 2, said);
            Assert.Matches(@"pytest: \d+ passed", said);
            Assert.Contains("Selenium tests: could not be run, because the grid did not start", said, StringComparison.Ordinal);
            var log = await File.ReadAllTextAsync(Path.Combine(results, "selenium.txt"), cancellation);
            Assert.Contains("selenium-chrome waits for selenium-hub, which is FailedToStart", log, StringComparison.Ordinal);
            Assert.Contains("inimum memory limit", log, StringComparison.Ordinal);
            var summary = await File.ReadAllTextAsync(Path.Combine(results, "summary.md"), cancellation);
            Assert.Contains(log.Trim(), summary, StringComparison.Ordinal);
            Assert.Empty(await new InstanceOnEngine(instance).OfARunAsync());
        }
        finally
        {
            await clone.StopAsync();
            await Uvlhub.RemoveLeftoversAsync(instance);
        }
    }

    [Fact]
    public void The_workflow_for_forks_does_nothing_but_call_the_script()
    {
        var yaml = new YamlStream();
        using var file = new StreamReader(Path.Combine(s_root, "docs/ci/uvlhub.yml"));
        yaml.Load(file);
        var jobs = (YamlMappingNode)yaml.Documents.Single().RootNode["jobs"];
        var steps = jobs.Children.Values.SelectMany(job => (YamlSequenceNode)job["steps"]).Cast<YamlMappingNode>().ToList();
        var checkouts = steps.Where(step => Value(step, "uses")?.StartsWith("actions/checkout@", StringComparison.Ordinal) == true)
            .Select(step => Value((YamlMappingNode)step["with"], "path")!).ToList();

        // 'FOLDER/ci --output results CHECKOUT', of folders that were checked out before.
        var run = Assert.Single(steps.Select(step => Value(step, "run")).OfType<string>()).Split(' ');
        var cache = steps.Single(step => Value(step, "uses")?.StartsWith("actions/cache@", StringComparison.Ordinal) == true);
        Assert.Equal(
            [$"{checkouts[1]}/ci", "--output", "results", "--images", Value((YamlMappingNode)cache["with"], "path")!, checkouts[0]], run);
        Assert.True(File.Exists(Path.Combine(s_root, "ci")));

        var upload = steps.Single(step => Value(step, "uses")?.StartsWith("actions/upload-artifact@", StringComparison.Ordinal) == true);
        Assert.Equal("always()", Value(upload, "if"));
        Assert.Equal("results", Value((YamlMappingNode)upload["with"], "path"));
        Assert.Equal(
            "UvlhubAspire/global.json",
            steps.Select(step => step.Children.TryGetValue("with", out var with) ? Value((YamlMappingNode)with, "global-json-file") : null)
                .OfType<string>().Single());
    }

    // For a short run: those of one module, which has browser tests too.
    private static void KeepFewTests(SampleCheckout checkout)
    {
        foreach (var tests in Directory.GetDirectories(checkout.File("app/modules"), "tests", SearchOption.AllDirectories)
            .Where(tests => !tests.EndsWith("/auth/tests", StringComparison.Ordinal)))
        {
            Directory.Delete(tests, recursive: true);
        }
    }

    private static async Task<string> ManifestAsync(string images)
    {
        await using var archive = new TarReader(File.OpenRead(images));
        while (await archive.GetNextEntryAsync() is { } entry)
        {
            if (entry.Name == "manifest.json")
            {
                using var text = new StreamReader(entry.DataStream!);
                return await text.ReadToEndAsync();
            }
        }

        return "";
    }

    private static string? Value(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(key, out var value) && value is YamlScalarNode scalar ? scalar.Value : null;
}
