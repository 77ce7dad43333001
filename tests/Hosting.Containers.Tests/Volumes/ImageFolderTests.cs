using Aspire.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Volumes;

/// <summary>What an image has in a folder, kept as a volume, on the real engine.</summary>
public sealed class ImageFolderTests : IAsyncLifetime
{
    private const string Folder = "/work space/node_modules";

    private static readonly ContainerEngine s_engine = new("docker");
    private readonly TemporaryFolder _context = new();
    private readonly string _name = $"uvlhub-images-tests-{Guid.NewGuid():N}";
    private readonly string _checkout = $"/checkouts/{Guid.NewGuid():N}";
    private string _base = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Image => $"{_name}:dev";

    private ImageFolder Kept => new(s_engine, Folder, _name, _checkout);

    public async ValueTask InitializeAsync()
    {
        _base = await TestContainer.EnsureImageAsync("nginx");
        await BuildAsync("first");
    }

    public async ValueTask DisposeAsync()
    {
        string[] containers = [.. (await VolumesAsync()).Select(volume => $"{volume}_begun")];
        await s_engine.RunAsync(TimeSpan.FromSeconds(30), CancellationToken.None, ["container", "rm", "--force", .. containers]);
        await s_engine.RunAsync(TimeSpan.FromSeconds(30), CancellationToken.None, ["volume", "rm", "--force", .. await VolumesAsync()]);
        await s_engine.RunAsync(TimeSpan.FromMinutes(1), CancellationToken.None, "image", "rm", "--force", Image, $"{_name}:old");
        _context.Dispose();
    }

    [Fact(Timeout = 300_000)]
    public async Task It_is_filled_once_shared_and_left_alone_as_long_as_the_image_stays()
    {
        var volume = await EnsureAsync();
        Assert.Equal("first", await ReadAsync(volume));

        await TestContainer.DockerAsync("run", "--rm", "--volume", $"{volume}:/v", _base, "sh", "-c", "echo changed > /v/package");
        Assert.Equal(volume, await EnsureAsync());

        Assert.Equal("changed", await ReadAsync(volume));
        Assert.Equal([volume], await VolumesAsync());
        Assert.Equal("", await TestContainer.DockerAsync("container", "ls", "--all", "--quiet", "--filter", $"name={_name}"));
    }

    [Fact(Timeout = 300_000)]
    public async Task It_is_renewed_when_the_image_changes_and_the_former_one_goes_when_no_container_has_it()
    {
        var former = await EnsureAsync();
        await TestContainer.DockerAsync("image", "tag", Image, $"{_name}:old");
        await using (var user = await TestContainer.OfImageAsync(_base, ["--volume", $"{former}:/v"], ["sleep", "infinity"]))
        {
            await BuildAsync("second");
            var renewed = await EnsureAsync();
            Assert.Equal("second", await ReadAsync(renewed));
            Assert.Equal("first", await ReadAsync(former));
        }

        // Another container of the checkout has the former image.
        var last = await EnsureAsync(others: $"{_name}:old");
        Assert.Equal(new HashSet<string>([former, last]), (await VolumesAsync()).ToHashSet());

        await EnsureAsync();
        Assert.Equal([last], await VolumesAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task One_that_was_killed_while_it_was_filled_is_filled_anew()
    {
        var volume = await EnsureAsync();
        // As SIGKILL leaves it: some of the files, and the container that says so.
        await TestContainer.DockerAsync("run", "--rm", "--volume", $"{volume}:/v", _base, "sh", "-c", "rm /v/package; echo > /v/half");
        await TestContainer.DockerAsync("container", "create", "--name", $"{volume}_begun", "--volume", $"{volume}:/v", _base, "true");

        Assert.Equal(volume, await EnsureAsync());

        Assert.Equal("first", await ReadAsync(volume));
        Assert.Equal("package", await TestContainer.DockerAsync("run", "--rm", "--volume", $"{volume}:/v", _base, "ls", "/v"));
        Assert.Equal("", await TestContainer.DockerAsync("container", "ls", "--all", "--quiet", "--filter", $"name={_name}"));
    }

    [Fact(Timeout = 300_000)]
    public async Task Where_it_cannot_be_filled_nothing_is_left_and_the_engines_reason_is_said()
    {
        var relative = new ImageFolder(s_engine, "no/absolute/path", _name, _checkout);

        var failed = await Assert.ThrowsAsync<DistributedApplicationException>(
            () => relative.EnsureAsync(Image, [Image], [NullLogger.Instance], Cancellation));

        Assert.StartsWith(
            $"What {Image} has in no/absolute/path cannot be copied into the volume {_name}_", failed.Message, StringComparison.Ordinal);
        Assert.Contains("mount path must be absolute", failed.Message, StringComparison.Ordinal);
        Assert.Empty(await VolumesAsync());
        Assert.Null(await relative.EnsureAsync($"{_name}:none", [], [NullLogger.Instance], Cancellation));
    }

    private async Task<string> EnsureAsync(params string[] others) =>
        (await Kept.EnsureAsync(Image, [Image, .. others], [NullLogger.Instance], Cancellation))!;

    private Task<string> ReadAsync(string volume) =>
        TestContainer.DockerAsync("run", "--rm", "--volume", $"{volume}:/v", _base, "cat", "/v/package");

    private async Task<string[]> VolumesAsync() =>
        (await TestContainer.DockerAsync("volume", "ls", "--quiet", "--filter", $"name={_name}"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task BuildAsync(string content)
    {
        _context.Write("Dockerfile", $"FROM {_base}\nRUN mkdir -p '{Folder}' && echo {content} > '{Folder}/package'\n");
        await TestContainer.DockerAsync("build", "--quiet", "--tag", Image, _context.Path);
    }
}
