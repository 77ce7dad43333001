using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Images;

/// <summary>What is made of pip's words; each was printed by pip 26.3.</summary>
public sealed class PipAdvisorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_version_that_the_index_lacks_is_named_with_its_line_and_the_nearest_that_it_has()
    {
        var explained = await ExplainAsync(
            "Flask==3.1.1\npython-sat==1.8.dev13\n",
            "ERROR: Could not find a version that satisfies the requirement python-sat==1.8.dev13 (from versions: 0.1.3.dev25, 0.1.7.dev1, "
            + "0.1.8.dev17, 1.8.dev14, 1.8.dev16, 1.9.dev1)",
            "ERROR: No matching distribution found for python-sat==1.8.dev13");

        Assert.Equal(
            $"{Requirements}:2: python-sat 1.8.dev13 is not in the index for this image's Python; the nearest versions that are: "
            + "1.8.dev14, 1.8.dev16, 1.9.dev1",
            Assert.Single(explained));
    }

    [Fact]
    public async Task Each_requirement_that_does_not_build_is_a_line()
    {
        var explained = await ExplainAsync(
            "cffi==1.16.0\ngreenlet==3.0.3\n",
            "  building '_cffi_backend' extension",
            "  creating build/temp.linux-x86_64-cpython-313/src/c",
            "  error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory",
            "ERROR: Failed building wheel for cffi",
            "ERROR: Failed to build installable wheels for some pyproject.toml based projects (cffi, greenlet)");

        Assert.Equal(
            [
                $"{Requirements}:1: cffi 1.16.0 does not build from source here",
                $"{Requirements}:2: greenlet 3.0.3 does not build from source here",
            ],
            explained);
    }

    [Theory]
    [InlineData("dd==0.5.7", true)]
    [InlineData("dd==0.6.0", false)]
    [InlineData("Flask==3.1.1", false)]
    public void What_is_known_not_to_build_is_known_beforehand(string requirement, bool isKnown)
    {
        var checkout = Checkout($"{requirement}\n");

        Assert.Equal(isKnown, PipAdvisor.KnownToFail(checkout).Any(line => line.StartsWith($"{Requirements}:1: dd 0.5.7 ", StringComparison.Ordinal)));
        Assert.Equal(isKnown, CheckoutImage.Development(checkout, new UvlhubOptions(), NoIndex.Instance).CheckoutBuild!.Base!.ReplacedBases.Count > 0);
        var off = new UvlhubOptions { Pip = { BuildConstraint = "none" } };
        Assert.Empty(CheckoutImage.Development(checkout, off, NoIndex.Instance).CheckoutBuild!.Base!.ReplacedBases);
    }

    private string Requirements => Path.Combine(_folder.Path, "requirements.txt");

    private async Task<IReadOnlyList<string>> ExplainAsync(string requirements, params string[] output)
    {
        var checkout = Checkout(requirements);
        return await new PipAdvisor(checkout, checkout.DevelopmentDockerfile!, new UvlhubOptions.PipOptions(), NoIndex.Instance).ExplainAsync(
            new BuildFailure(checkout.DevelopmentDockerfile!.Path, 1, "RUN pip install -r requirements.txt", output),
            TestContext.Current.CancellationToken);
    }

    private UvlhubCheckout Checkout(string requirements)
    {
        Edition.Load(Edition.Course).WriteCheckout(_folder);
        _folder.Write("requirements.txt", requirements);
        return UvlhubCheckout.Read(_folder.Path);
    }
}

/// <summary>An index that nobody reaches: there is no such engine.</summary>
internal static class NoIndex
{
    public static PackageIndex Instance { get; } = new(new Engine.ContainerEngine("no-such-engine"));
}
