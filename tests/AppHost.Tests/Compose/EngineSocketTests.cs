using Aspire.Hosting.ApplicationModel;
using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Hosting.Containers;
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
        Assert.Empty(await WithSocketAsync(model, model.Containers));
    }

    [Fact]
    public async Task The_setting_gives_it_to_the_service_that_it_names_and_not_to_the_toolbox()
    {
        // There is always one where these tests run.
        await using var model = await EditionModel.CreateAsync(EditionModel.Course, change: null, "--Uvlhub:EngineSocket=web");
        Assert.Equal(["web"], await WithSocketAsync(model, s_all.Intersect(model.Containers)));
    }

    // Not by EngineSocket: what that does not know, the file system does, under whatever name.
    private static async Task<IEnumerable<string>> WithSocketAsync(EditionModel model, IEnumerable<string> containers)
    {
        List<string> found = [];
        foreach (var container in containers)
        {
            var sources = model.Container(container).Annotations.OfType<ContainerMountAnnotation>()
                .Where(mount => mount.Type == ContainerMountType.BindMount).Select(mount => mount.Source!).Where(Path.Exists).ToList();
            if (sources.Count > 0 && await HoldsSocketAsync(sources))
            {
                found.Add(container);
            }
        }

        return found;
    }

    private static async Task<bool> HoldsSocketAsync(IEnumerable<string> sources)
    {
        // Links are followed, as the engine follows them; what may not be read, or ends while it is read, is no failure.
        var find = await Cli.Wrap("find")
            .WithArguments(["-L", .. sources, "-maxdepth", "3", "-samefile", "/var/run/docker.sock", "-print", "-quit"])
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(TestContext.Current.CancellationToken);
        return find.StandardOutput.Length > 0;
    }
}
