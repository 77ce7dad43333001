using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using UvlhubAspire.AppHost.Tests.Images;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Flask;

public sealed class CheckoutRequirementsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_checkout_that_asks_for_nothing_more_runs_the_stand_in_that_all_share()
    {
        var shared = ImageRecipe.StandIn(RepositoryFolder.StandIn("flask"));

        Assert.Equal(shared.Image, CheckoutRequirements.StandIn(UvlhubCheckout.Read(RepositoryFolder.BundledSample)).Image);
        Assert.Equal(shared.Image, CheckoutRequirements.StandIn(Checkout("flask_login==0.6.3\nFlask-WTF\n")).Image);
    }

    [Fact]
    public void What_it_lacks_is_a_layer_on_that_which_checkouts_with_the_same_list_share()
    {
        var recipe = CheckoutRequirements.StandIn(Checkout("Flask==3.1.1\npyotp==2.9.0\ndiscord.py\n"));

        Assert.Equal(ImageRecipe.StandIn(RepositoryFolder.StandIn("flask")).Image, recipe.Base!.Image);
        Assert.Equal("discord-py pyotp", recipe.Arguments["REQUIREMENTS"]);
        Assert.Equal(recipe.Image, CheckoutRequirements.StandIn(Checkout("Discord_Py>=2\nPyOTP==2.8\n")).Image);
        Assert.NotEqual(recipe.Image, CheckoutRequirements.StandIn(Checkout("pyotp\n")).Image);
        Assert.Equal(recipe.Image, CheckoutImage.Development(Checkout("pyotp\ndiscord.py\n"), new UvlhubOptions(), NoIndex.Instance).StandInRecipe!.Image);
    }

    [Fact]
    public void Names_are_read_out_of_every_kind_of_line()
    {
        var checkout = Checkout("""
            # a comment
            -r other.txt
            --index-url https://example.org/simple
            git+https://example.org/team/thing.git
            -e git+ssh://git@example.org/team/repository.git@feature/x#subdirectory=py&egg=Named_So
            git+https://example.org/lonely@v1.0 ; python_version > "3.8"
            git+https://example.org/
            https://example.org/thing.whl
            A.b_c[extra]>=1,<2 ; python_version > "3.8"
            plain
            pinned==1.0  # why
            local @ file:///tmp/local
            $(touch /tmp/x)

            """);

        Assert.Equal(["thing", "Named_So", "lonely", "A.b_c", "plain", "pinned", "local"], CheckoutRequirements.Read(checkout));
    }

    [Fact(Timeout = 600_000)]
    public async Task What_is_not_asked_for_again_is_in_the_stand_in_that_all_share()
    {
        await using var container = await TestContainer.StartAsync("flask", command: ["sleep", "infinity"]);
        var packages = (await container.ExecAsync("cat", "/usr/share/uvlhub-aspire/python-packages.txt")).Output.Split('\n');
        var provided = await File.ReadAllLinesAsync(Path.Combine(RepositoryFolder.StandIn("flask"), "provides.txt"), Cancellation);

        Assert.NotEmpty(provided);
        Assert.Empty(provided.Except(packages.Select(line => CheckoutRequirements.Normalise(line.Split("==")[0]))));
    }

    [Fact(Timeout = 600_000)]
    public async Task Those_that_debian_has_are_installed_under_whatever_name_and_the_rest_is_left_out()
    {
        var engine = new ContainerEngine("docker");
        var recipe = CheckoutRequirements.StandIn(Checkout($"Flask\npyotp==2.9.0\nPyJWT\nbs4\nno-such-package-{Guid.NewGuid():N}\n"));
        try
        {
            await new ImageBuilder(engine, NullLoggerFactory.Instance).EnsureAsync(recipe, NullLogger.Instance, Cancellation);

            var imported = await engine.RunAsync(
                TimeSpan.FromSeconds(60), Cancellation, "run", "--rm", "--network", "none", recipe.Image, "python", "-c",
                "import flask, pyotp, jwt; print(pyotp.__name__, jwt.__name__)");
            Assert.Equal("pyotp jwt", imported.Output);
            var listed = await engine.RunAsync(
                TimeSpan.FromSeconds(60), Cancellation, "run", "--rm", "--network", "none", recipe.Image, "cat",
                "/usr/share/uvlhub-aspire/python-packages.txt");
            Assert.Contains("\npyotp==", listed.Output, StringComparison.Ordinal);
            Assert.Contains("\nPyJWT==", listed.Output, StringComparison.Ordinal);
            Assert.Contains("\nbs4==", listed.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("no-such-package", listed.Output, StringComparison.Ordinal);
        }
        finally
        {
            await engine.RunAsync(TimeSpan.FromSeconds(60), CancellationToken.None, "image", "rm", recipe.Image);
        }
    }

    private UvlhubCheckout Checkout(string requirements)
    {
        Edition.Load("egc2526-v1.0.0").WriteCheckout(_folder);
        _folder.Write("requirements.txt", requirements);
        return UvlhubCheckout.Read(_folder.Path);
    }
}
