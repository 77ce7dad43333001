using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What a checkout's compose file may declare beyond uvlhub's own, in one checkout, as its containers see it.</summary>
public sealed class ForkKindsTests(ForkKinds fork) : IClassFixture<ForkKinds>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 120_000)]
    public async Task What_the_image_has_inside_the_mounted_checkout_is_one_volume_for_all_containers_of_the_image()
    {
        const string Source = """{{range .Mounts}}{{if eq .Destination "/srv/code/node_modules"}}{{.Name}}{{end}}{{end}}""";
        var volumes = new HashSet<string>();
        foreach (var service in new[] { "bundler", "watcher" })
        {
            await RunningAsync(service);
            Assert.Equal("of the image", await fork.Uvlhub.InsideAsync(service, Cancellation, "cat", "/srv/code/node_modules/package"));
            Assert.Equal("of the checkout", await fork.Uvlhub.InsideAsync(service, Cancellation, "cat", "/srv/code/is-mounted"));
            volumes.Add(await fork.Uvlhub.InspectAsync(service, Source, Cancellation));
        }

        // One that no image folder is behind: each container's own, as under compose.
        Assert.Equal("", await fork.Uvlhub.InsideAsync("bundler", Cancellation, "ls", "/cache"));
        var volume = Assert.Single(volumes);
        Assert.StartsWith($"{fork.Uvlhub.Instance}_srv_code_node_modules_", volume, StringComparison.Ordinal);
        Assert.Equal([], Directory.EnumerateFileSystemEntries(fork.Checkout.File("node_modules")));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_named_volume_inside_the_mounted_checkout_holds_what_the_image_has_there_and_what_is_written()
    {
        await RunningAsync("bundler", "watcher");
        await fork.Uvlhub.InsideAsync("bundler", Cancellation, "sh", "-c", "echo written > /srv/code/deps/later");

        Assert.Equal(
            "of the image\nwritten",
            await fork.Uvlhub.InsideAsync("watcher", Cancellation, "sh", "-c", "cd /srv/code/deps; cat package later"));
        Assert.Equal([], Directory.EnumerateFileSystemEntries(fork.Checkout.File("deps")));
    }

    [Fact(Timeout = 120_000)]
    public async Task Who_waits_for_a_job_starts_when_that_has_done_its_work()
    {
        await RunningAsync("afterwards");

        Assert.Equal("seeded", await fork.Uvlhub.InsideAsync("afterwards", Cancellation, "cat", "/seen"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_second_service_from_the_sites_dockerfile_with_other_arguments_has_the_sites_python()
    {
        await RunningAsync("jobs");

        Assert.Equal("app", await fork.Uvlhub.InsideAsync("jobs", Cancellation, "python", "-c", "import flask, app; print(app.__name__)"));
    }

    [Fact(Timeout = 120_000)]
    public async Task An_option_of_mysql_that_mariadb_only_takes_for_its_sake_keeps_nothing_from_starting() =>
        Assert.Contains(
            "--default-authentication-plugin=mysql_native_password",
            await fork.Uvlhub.InspectAsync("mariadb_container", "{{.Args}}", Cancellation), StringComparison.Ordinal);

    [Fact(Timeout = 120_000)]
    public async Task An_image_that_does_not_exist_is_named_in_one_message_and_the_rest_runs()
    {
        await RunningAsync("web", "bundler", "watcher", "afterwards", "jobs");

        var said = await File.ReadAllLinesAsync(fork.Report, Cancellation);
        Assert.StartsWith(
            $"mistyped cannot run: {ForkKinds.Mistyped} is not on this machine, and no registry delivers it (",
            Assert.Single(said, line => line.Contains(ForkKinds.Mistyped, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private Task RunningAsync(params string[] services) => Task.WhenAll(services.Select(service =>
        fork.Uvlhub.App.ResourceNotifications.WaitForResourceAsync(service, KnownResourceStates.Running, Cancellation)));
}

/// <summary>The bundled sample with such a compose file.</summary>
public sealed class ForkKinds : IAsyncLifetime
{
    /// <summary>An image that is nowhere.</summary>
    public const string Mistyped = "127.0.0.1:1/redis:8.2.l";

    private readonly string _image = $"uvlhub-e2e-kinds:{Guid.NewGuid():N}";
    private Uvlhub? _uvlhub;

    /// <summary>What is said on the console until the site is ready.</summary>
    public string Report => Checkout.File("../report");

    public SampleCheckout Checkout { get; } = new();

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var parent = await TestContainer.EnsureImageAsync("redis");
        using var context = new TemporaryFolder();
        context.Write("Dockerfile", $"""
            FROM {parent}
            RUN mkdir -p /srv/code/node_modules /srv/code/deps \
                && echo of the image | tee /srv/code/node_modules/package > /srv/code/deps/package
            """);
        await TestContainer.DockerAsync("build", "--quiet", "--tag", _image, context.Path);
        await File.WriteAllTextAsync(Checkout.File("is-mounted"), "of the checkout\n", cancellation);
        var file = Checkout.File("docker/docker-compose.dev.yml");
        var declared = (await File.ReadAllTextAsync(file, cancellation)).Replace("services:\n", $$"""
            services:
              bundler: &code
                container_name: bundler
                image: {{_image}}
                entrypoint: [ sleep, infinity ]
                volumes: [ "../:/srv/code", /srv/code/node_modules, "deps:/srv/code/deps", /cache ]
              watcher:
                <<: *code
                container_name: watcher
              once:
                image: {{_image}}
                entrypoint: [ sh, -c, "sleep 2; echo seeded > /seed/done" ]
                volumes: [ "seed:/seed" ]
              afterwards:
                <<: *code
                container_name: afterwards
                volumes: [ "seed:/seed" ]
                entrypoint: [ sh, -c, "cp /seed/done /seen; sleep infinity" ]
                depends_on: { once: { condition: service_completed_successfully } }
              jobs:
                container_name: jobs
                build: { context: ../, dockerfile: docker/images/Dockerfile.dev, args: { QUEUE: "default" } }
                command: sleep infinity
                volumes: [ "../:/app" ]
              mistyped: { image: "{{Mistyped}}" }

            """, StringComparison.Ordinal);
        declared = declared.Replace("volumes:\n  db_data:", "volumes: { deps: {}, seed: {}, db_data: {} }", StringComparison.Ordinal)
            // Of MySQL 5.7, as in many a tutorial.
            .Replace(
                "    restart: always\n", "    command: --default-authentication-plugin=mysql_native_password\n",
                StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, declared, cancellation);
        File.WriteAllText(Report, "");
        _uvlhub = await Uvlhub.StartHealthyAsync(Checkout.Path, Uvlhub.NewInstance(), cancellation, "--Uvlhub:Services=-nginx", $"--Uvlhub:Report={Report}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        Checkout.Dispose();
        await TestContainer.DockerAsync("image", "rm", "--force", _image);
    }
}
