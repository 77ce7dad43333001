using Aspire.Hosting.ApplicationModel;
using CliWrap;
using CliWrap.Buffered;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Compose;

public sealed class EngineSocketTests
{
    private static readonly string[] s_all = ["web", "worker", "rosemary", "db", "nginx", "redis"];

    [Theory]
    [InlineData(Edition.Course)]
    [InlineData(Edition.Diverso)]
    public async Task No_container_is_given_it_though_the_compose_file_mounts_it(string edition)
    {
        await using var model = await EditionModel.CreateAsync(edition);
        Assert.Empty(await WithSocketAsync(model, model.Containers));
    }

    [Fact]
    public async Task The_setting_gives_it_to_the_service_that_it_names_and_not_to_the_toolbox()
    {
        // There is always one where these tests run.
        await using var model = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:EngineSocket=web");
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
