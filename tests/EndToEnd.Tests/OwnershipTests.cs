using CliWrap;
using UvlhubAspire.AppHost.Flask;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A checkout of an ordinary user, whose files stay that user's.</summary>
public sealed class OwnershipTests
{
    private static readonly CheckoutOwner s_person = new(12345, 23456);

    [Fact(Timeout = 600_000)]
    public async Task What_the_containers_write_into_the_checkout_belongs_to_its_owner()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give a checkout to somebody else");
        var cancellation = TestContext.Current.CancellationToken;
        using var checkout = new SampleCheckout();
        await Cli.Wrap("chown").WithArguments(["-R", s_person.ToString(), checkout.Path]).ExecuteAsync(cancellation);
        // The folder above it is only for whoever made it.
        await Cli.Wrap("chmod").WithArguments(["755", Path.GetDirectoryName(checkout.Path)!]).ExecuteAsync(cancellation);

        await using var uvlhub = await Uvlhub.StartHealthyAsync(checkout.Path, Uvlhub.NewInstance(), cancellation);
        foreach (var container in (string[])["web_app_container", "rosemary_container"])
        {
            // Both are asked for by tools that a user without an entry in the image's passwd breaks.
            var ran = await Uvlhub.Engine.RunAsync(
                TimeSpan.FromSeconds(30),
                cancellation,
                "exec", uvlhub.ContainerOf(container), "python", "-c",
                "import getpass, os, sys; open(sys.argv[1], 'w').close(); print(getpass.getuser(), os.access(os.path.expanduser('~'), os.W_OK))", container);
            Assert.True(ran.Succeeded, ran.Error);
            Assert.Equal("uvlhub True", ran.Output);
            Assert.Equal(s_person, CheckoutOwner.Read(checkout.File(container)));
        }

        var owners = Directory.EnumerateFileSystemEntries(checkout.Path, "*", SearchOption.AllDirectories)
            .Where(entry => CheckoutOwner.Read(entry) != s_person);
        Assert.Empty(owners);
    }
}
