using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Nginx;

public sealed class NginxTests
{
    private const string Configuration = "http { upstream web { server web:5000; } server { location /zenodo { proxy_pass http://bot; } } "
        + "} # mailhog:8025";

    [Fact]
    public async Task It_has_the_checkouts_configuration_and_pages_and_cannot_write_to_them()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course);
        var nginx = await model.FactsAsync("nginx");
        Assert.Equal(("nginx:1.29.1", RepositoryFolder.StandIn("nginx")), (nginx.Image, nginx.Origin?.StandIn));
        Assert.Equal(
            [
                (Path.Combine(model.Folder, "docker/nginx/nginx.dev.conf"), "/etc/nginx/nginx.conf", true),
                (Path.Combine(model.Folder, "docker/nginx/html"), "/usr/share/nginx/html", true),
            ],
            nginx.Mounts.Select(mount => (mount.Source, mount.Target, mount.IsReadOnly)));
    }

    [Fact]
    public async Task Of_what_else_a_checkout_mounts_into_it_no_engines_socket_comes_in_and_no_file_is_read_that_is_no_configuration()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, folder => folder.Write(
            "docker/docker-compose.dev.yml",
            """
            services:
              web: { image: web }
              db: { image: mariadb }
              nginx:
                image: nginx
                volumes: [ "./nginx/nginx.dev.conf:/etc/nginx/nginx.conf:ro", "/var/run/docker.sock:/var/run/docker.sock:ro", "/dev/null:/silence" ]
            """));
        var nginx = await model.FactsAsync("nginx");
        Assert.Equal(["/etc/nginx/nginx.conf", "/silence"], nginx.Mounts.Select(mount => mount.Target));
        Assert.Equal([.. Upstreams.Before, .. Upstreams.Command], nginx.Arguments);
    }

    [Fact]
    public async Task It_waits_for_nothing_so_that_its_502_page_is_there_from_the_start()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course);
        Assert.Empty(model.Waits("nginx"));
        Assert.Single(model.Container("nginx").Annotations.OfType<HealthCheckAnnotation>());
        Assert.Single(model.Container("nginx").Annotations.OfType<RestartPolicy>());
    }

    [Fact]
    public async Task The_engine_opens_its_port_itself_which_port_80_needs_and_every_other_is_faster_by()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course);
        Assert.Equal((80, 80, false), Facts(model));

        await using var other = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Ports:Nginx=8081");
        Assert.Equal((8081, 80, false), Facts(other));

        await using var instance = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Instance=teamA");
        Assert.Equal((null, 80, false), Facts(instance));

        static (int?, int?, bool) Facts(EditionModel model) =>
            (model.Endpoint("nginx", "http").Port, model.Endpoint("nginx", "http").TargetPort, model.Endpoint("nginx", "http").IsProxied);
    }

    [Fact]
    public async Task The_hosts_that_its_configuration_names_are_its_upstreams()
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Diverso, folder => folder.Write("docker/nginx/nginx.dev.conf", Configuration));
        var nginx = await model.FactsAsync("nginx");
        // 'bot' is nothing of the model, 'mailhog' stands in a comment.
        Assert.Equal("web", nginx.Environment[Upstreams.Variable]);
        Assert.Equal([.. Upstreams.Before, .. Upstreams.Command], nginx.Arguments);
    }

    [Fact]
    public async Task The_command_of_a_fork_is_kept()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, folder => folder.Write(
            "docker/docker-compose.dev.yml",
            "services: { web: { image: web }, db: { image: mariadb }, nginx: { image: nginx, command: nginx-debug -g 'daemon off;' } }"));
        Assert.Equal([.. Upstreams.Before, "nginx-debug", "-g", "daemon off;"], (await model.FactsAsync("nginx")).Arguments);
    }

    [Fact]
    public async Task A_missing_configuration_is_named_with_the_line_that_mounts_it()
    {
        var folder = "";
        var exception = await Assert.ThrowsAsync<UserErrorException>(() => EditionModel.CreateAsync(Edition.Course, checkout =>
        {
            folder = checkout.Path;
            File.Delete(Path.Combine(folder, "docker/nginx/nginx.dev.conf"));
        }));
        Assert.Equal(Path.Combine(folder, "docker/docker-compose.dev.yml"), exception.File);
        Assert.True(exception.Line > 0);
        Assert.EndsWith(
            "docker/nginx/nginx.dev.conf; put it there, or run without nginx: --Uvlhub:Services=-nginx", exception.Message,
            StringComparison.Ordinal);
    }
}
