using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Release;

public sealed class CheckoutVersionTests
{
    [Theory]
    [InlineData("v1;touch$IFS'pwned'")]
    [InlineData("$(id)`id`")]
    [InlineData("-rf")]
    public async Task Whatever_a_tag_is_called_the_version_has_only_letters_that_an_images_tag_may_have(string tag)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        Edition.Load(Edition.Course).WriteCheckout(folder);
        await GitAsync("init", "--quiet");
        await GitAsync(
            "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--allow-empty", "--message=empty");
        // By its reference, because 'git tag' takes no name that begins with a dash; a hostile clone may have one.
        await GitAsync("update-ref", $"refs/tags/{tag}", "HEAD");

        var checkout = UvlhubCheckout.Read(folder.Path);
        foreach (var options in (UvlhubOptions[])[new UvlhubOptions(), new UvlhubOptions { Version = tag }])
        {
            var version = await CheckoutVersion.ReadAsync(checkout, options, cancellation);
            Assert.Matches("^[A-Za-z0-9_][A-Za-z0-9_.-]*$", version);
        }

        Task GitAsync(params string[] words) =>
            Cli.Wrap("git").WithArguments(["-C", folder.Path, .. words]).ExecuteBufferedAsync(cancellation);
    }
}
