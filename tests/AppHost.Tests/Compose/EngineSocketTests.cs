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

    // As teams write it: for a proxy that asks the engine for containers, by a link in the checkout, as a file beside the command.
    [Fact]
    public async Task Nobody_is_given_it_by_way_of_nginx_a_link_or_the_workers_script()
    {
        await using var fork = await InventedFork.CreateAsync(
            folder =>
            {
                Directory.CreateSymbolicLink(Path.Combine(folder.Path, "checkout", "r"), "/");
                folder.Write("checkout/docker/docker-compose.prod.yml", """
                    services:
                      web: { container_name: web_app_container, image: web }
                      db: { container_name: mariadb_container, image: mariadb }
                      redis: { image: redis }
                      nginx:
                        image: nginx
                        volumes: [ /var/run/docker.sock:/var/run/docker.sock:ro, ../r/run:/hostrun:ro ]
                      worker:
                        command: python worker.py --socket=/var/run/docker.sock
                        volumes: [ /var/run/docker.sock:/var/run/docker.sock ]
                      monitor: { image: monitor, volumes: [ ../r/var/run:/hostrun ] }
                    """);
                folder.Write("checkout/.env.production", "FLASK_ENV=production\n");
                Directory.CreateDirectory(Path.Combine(folder.Path, "checkout/docker/nginx/html"));
            },
            ["--Uvlhub:Environment=Production", "--Uvlhub:Secrets=generated"]);
        Assert.Equal(
            [],
            from container in fork.Resources.OfType<ContainerResource>()
            from mount in container.Annotations.OfType<ContainerMountAnnotation>()
            where mount.Type == ContainerMountType.BindMount && mount.Target.Contains("run", StringComparison.Ordinal)
            select $"{container.Name}: {mount.Source}");
        Assert.Superset(
            new HashSet<string>(["nginx", "worker", "monitor"]),
            fork.Resources.OfType<ContainerResource>().Select(container => container.Name).ToHashSet());
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
