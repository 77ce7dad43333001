using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Engine;

public sealed class EngineSocketTests
{
    [Theory]
    [InlineData("/var/run/docker.sock", true)]
    [InlineData("/elsewhere/docker.sock", true)]
    [InlineData("/var/run/../run/docker.sock", true)]
    [InlineData("/run/podman/podman.sock", true)]
    [InlineData("/run", true)]
    [InlineData("/var/run/", true)]
    [InlineData("/", true)]
    [InlineData("/run/mysqld", false)]
    [InlineData("/srv/docker", false)]
    public void It_is_known_by_its_name_and_by_the_folders_that_it_lies_in(string path, bool isSocket) =>
        Assert.Equal(isSocket, EngineSocket.Is(path));

    [Fact]
    public void It_is_known_behind_a_link()
    {
        using var folder = new TemporaryFolder();
        var link = Path.Combine(folder.Path, "harmless");
        Directory.CreateSymbolicLink(link, "/run");
        Assert.True(EngineSocket.Is(link));
    }

    [Theory]
    [InlineData("root/run")]
    [InlineData("root/var/run")]
    [InlineData("root/var/run/docker.sock")]
    [InlineData("here/root/run")]
    [InlineData("process/run")]
    public void It_is_known_behind_a_link_anywhere_in_the_path(string path)
    {
        using var folder = new TemporaryFolder();
        foreach (var (name, target) in new[] { ("root", "/"), ("here", "."), ("process", "/proc/self/root") })
        {
            Directory.CreateSymbolicLink(Path.Combine(folder.Path, name), target);
        }

        Assert.True(EngineSocket.Is(Path.Combine(folder.Path, path)));
        Assert.False(EngineSocket.Is(Path.Combine(folder.Path, "root", "srv", "docker")));
    }

    [Fact]
    public void Links_in_a_circle_are_no_socket()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "one"), "two");
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "two"), "one");
        Assert.False(EngineSocket.Is(Path.Combine(folder.Path, "one", "run")));
    }
}
