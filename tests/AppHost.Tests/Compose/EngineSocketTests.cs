using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Compose;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Compose;

public sealed class EngineSocketTests
{
    private static readonly string[] s_all = ["web", "worker", "rosemary", "db", "nginx", "redis"];

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
    [InlineData(EditionModel.Course)]
    [InlineData(EditionModel.Diverso)]
    public async Task No_container_is_given_it_though_the_compose_file_mounts_it(string edition)
    {
        await using var model = await EditionModel.CreateAsync(edition);
        Assert.DoesNotContain(model.Containers, container => HasSocket(model, container));
    }

    [Fact]
    public async Task The_setting_gives_it_to_the_service_that_it_names_and_not_to_the_toolbox()
    {
        // There is always one where these tests run.
        await using var model = await EditionModel.CreateAsync(EditionModel.Course, change: null, "--Uvlhub:EngineSocket=web");
        Assert.Equal(["web"], s_all.Intersect(model.Containers).Where(container => HasSocket(model, container)));
    }

    private static bool HasSocket(EditionModel model, string container) =>
        model.Container(container).Annotations.OfType<ContainerMountAnnotation>().Any(mount => mount.Type == ContainerMountType.BindMount && EngineSocket.Is(mount.Source));
}
