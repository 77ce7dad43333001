using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Engine;

public sealed class CheckoutOwnerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_owner_is_the_one_that_stat_names()
    {
        var cancellation = TestContext.Current.CancellationToken;
        if (Environment.IsPrivilegedProcess)
        {
            await Cli.Wrap("chown").WithArguments(["12345:23456", _folder.Path]).ExecuteAsync(cancellation);
        }

        var stat = await Cli.Wrap("stat").WithArguments(["--format", "%u:%g", _folder.Path]).ExecuteBufferedAsync(cancellation);
        Assert.Equal(stat.StandardOutput.Trim(), CheckoutOwner.Read(_folder.Path)?.ToString());
    }

    [Fact]
    public void A_folder_that_is_not_there_has_none() => Assert.Null(CheckoutOwner.Read(Path.Combine(_folder.Path, "missing")));

    [Fact]
    public void A_folder_of_root_and_an_engine_that_maps_users_keep_the_images_user()
    {
        Assert.Null(CheckoutOwner.Of("/", new ContainerEngine("docker")));
        Assert.Null(CheckoutOwner.Of(_folder.Path, new ContainerEngine("podman")));
    }

    [Theory]
    [InlineData("unix:///run/user/1000/docker.sock", true)]
    [InlineData("unix:///var/run/docker.sock", false)]
    [InlineData(null, false)]
    public void A_rootless_engine_is_told_by_its_address(string? address, bool isRootless) =>
        Assert.Equal(isRootless, CheckoutOwner.IsRootless(address));
}
