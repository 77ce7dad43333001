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
    private const string OtherWay = "docker/images/Dockerfile.dev does not build as it is, but there is another way";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task A_build_that_looks_for_pkg_resources_is_given_older_tools() => Assert.Contains(
        OtherWay, await BuiltAsync(
            "dd<0.6", "pip builds packages from source with setuptools<81: a package's build looks for pkg_resources"),
        StringComparison.Ordinal);

    [Fact(Timeout = 300_000)]
    public async Task Where_no_cause_is_known_pip_sees_its_index_as_on_the_day_of_the_requirements() => Assert.Contains(
        OtherWay, await BuiltAsync(
            "dd<0.6", "pip sees its index as it was on 2025-09-23: pip fails for no cause that is known here",
            settings: "--Uvlhub:Pip:BuildConstraint=none"),
        StringComparison.Ordinal);

    /// <summary>What binds an older pip's builds binds the installation too.</summary>
    [Fact(Timeout = 300_000)]
    public async Task An_older_pip_is_replaced_where_the_requirements_name_setuptools_themselves() => Assert.DoesNotContain(
        OtherWay, await BuiltAsync(
            "dd==0.5.7\nsetuptools==82.0.1", "pip builds packages from source with setuptools<81: ", upgrade: ""),
        StringComparison.Ordinal);

    // The image is built, and what was done for it is said once.
    private async Task<string> BuiltAsync(
        string requirements, string remedy, string upgrade = "RUN pip install --upgrade pip\n", params string[] settings)
    {
        using var checkout = new SampleCheckout();
        await File.AppendAllTextAsync(checkout.File("requirements.txt"), $"{requirements}\n", Cancellation);
        var dockerfile = checkout.File("docker/images/Dockerfile.dev");
        const string Install = "RUN pip install --no-cache-dir -r";
        var text = await File.ReadAllTextAsync(dockerfile, Cancellation);
        Assert.Contains(Install, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(dockerfile, text.Replace(Install, upgrade + Install, StringComparison.Ordinal), Cancellation);
        await CommitAsync(checkout.Path, "2025-09-23T12:00:00Z");

        await using var host = box.Start(
            [
                $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={Uvlhub.NewInstance()}",
                $"--Uvlhub:Snapshots:Path={checkout.File("../snapshots")}", .. settings,
            ]);
        using var visitor = new Visitor(await host.ReadyAsync(Cancellation));

        Assert.Contains("Coffee machine", await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.Single(host.Output.Split('\n'), line => line.Contains(remedy, StringComparison.Ordinal));
        return host.Output;
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
