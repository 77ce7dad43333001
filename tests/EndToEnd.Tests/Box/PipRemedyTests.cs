using CliWrap;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// What helps pip, found from how it fails: dd, in a version that nobody pins, is built from source here and looks for what setuptools
/// has no more.
/// </summary>
[Collection(BoxGroup.Name), Trait("Tier", "long"), Trait("Needs", "wheels")]
public sealed class PipRemedyTests(NetworkInABox box)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public Task A_build_that_looks_for_pkg_resources_is_given_older_tools() =>
        BuiltAsync("pip builds packages from source with setuptools<81: a package's build looks for pkg_resources");

    [Fact(Timeout = 300_000)]
    public Task Where_no_cause_is_known_pip_sees_its_index_as_on_the_day_of_the_requirements() => BuiltAsync(
        "pip sees its index as it was on 2025-09-23: pip fails for no cause that is known here", "--Uvlhub:Pip:BuildConstraint=none");

    // The image is built, and what was done for it is said.
    private async Task BuiltAsync(string remedy, params string[] settings)
    {
        using var checkout = new SampleCheckout();
        await File.AppendAllTextAsync(checkout.File("requirements.txt"), "dd<0.6\n", Cancellation);
        var dockerfile = checkout.File("docker/images/Dockerfile.dev");
        const string Install = "RUN pip install ";
        var text = await File.ReadAllTextAsync(dockerfile, Cancellation);
        Assert.Contains(Install, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            dockerfile, text.Replace(Install, $"RUN pip install --upgrade pip\n{Install}", StringComparison.Ordinal), Cancellation);
        await CommitAsync(checkout.Path, "2025-09-23T12:00:00Z");

        await using var host = box.Start(
            [
                $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={Uvlhub.NewInstance()}",
                $"--Uvlhub:Snapshots:Path={checkout.File("../snapshots")}", .. settings,
            ]);
        using var visitor = new Visitor(await host.ReadyAsync(Cancellation));

        Assert.Contains("Coffee machine", await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.Contains($"{dockerfile} does not build as it is, but there is another way", host.Output, StringComparison.Ordinal);
        Assert.Single(host.Output.Split('\n'), line => line.Contains(remedy, StringComparison.Ordinal));
    }

    private static async Task CommitAsync(string folder, string day)
    {
        foreach (var words in (string[][])[["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Everything"]])
        {
            await Cli.Wrap("git").WithArguments(["-c", "user.name=team", "-c", "user.email=team@localhost", "-C", folder, .. words])
                .WithEnvironmentVariables(environment => environment.Set("GIT_COMMITTER_DATE", day)).ExecuteAsync(Cancellation);
        }
    }
}
