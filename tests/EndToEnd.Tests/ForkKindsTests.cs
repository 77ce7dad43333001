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
            await fork.Uvlhub.App.ResourceNotifications.WaitForResourceAsync(service, KnownResourceStates.Running, Cancellation);
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
}

/// <summary>The bundled sample with such a compose file.</summary>
public sealed class ForkKinds : IAsyncLifetime
{
    private readonly string _image = $"uvlhub-e2e-kinds:{Guid.NewGuid():N}";
    private Uvlhub? _uvlhub;

    public SampleCheckout Checkout { get; } = new();

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var parent = await TestContainer.EnsureImageAsync("redis");
        using var context = new TemporaryFolder();
        context.Write("Dockerfile", $"""
            FROM {parent}
            RUN mkdir -p /srv/code/node_modules && echo of the image > /srv/code/node_modules/package
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
                volumes: [ "../:/srv/code", /srv/code/node_modules, /cache ]
              watcher:
                <<: *code
                container_name: watcher

            """, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, declared, cancellation);
        _uvlhub = await Uvlhub.StartHealthyAsync(Checkout.Path, Uvlhub.NewInstance(), cancellation, "--Uvlhub:Services=-nginx");
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
