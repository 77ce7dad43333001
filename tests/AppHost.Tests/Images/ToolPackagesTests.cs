using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Images;

/// <summary>OpenTelemetry and debugpy upon an image that a Dockerfile has made, with a real pip.</summary>
[Trait("Needs", "wheels")]
public sealed class ToolPackagesTests : IAsyncLifetime
{
    private static readonly ContainerEngine s_engine = new("docker");
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    // What telemetry and the debugger need, and what a checkout pins of the same.
    private static readonly string[] s_wheels =
    [
        "opentelemetry_", "googleapis_", "protobuf-", "requests-", "urllib3-", "certifi-", "idna-", "charset_normalizer-",
        "typing_extensions-", "importlib_metadata-", "zipp-", "wrapt-", "packaging-", "debugpy-",
    ];

    private readonly TemporaryFolder _folder = new();
    private readonly ImageBuilder _builder = new(s_engine, NullLoggerFactory.Instance);
    private readonly string _image = $"uvlhub-aspire/checkout-packages-tests:{Guid.NewGuid():N}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Own => $"{_image}-own";

    public async ValueTask InitializeAsync()
    {
        // For its Debian; it has no pip.
        await _builder.EnsureAsync(ImageRecipe.StandIn(RepositoryFolder.StandIn("redis")), NullLogger.Instance, Cancellation);
        var wheels = Environment.GetEnvironmentVariable("UVLHUB_TEST_WHEELS")
            ?? Path.Combine(RepositoryFolder.Images, "..", "..", "shared", "wheels");
        Assert.SkipUnless(Directory.Exists(wheels), $"there are no wheels in {wheels}");
        foreach (var wheel in Directory.EnumerateFiles(wheels, "*.whl")
            .Where(file => s_wheels.Any(name => Path.GetFileName(file).StartsWith(name, StringComparison.OrdinalIgnoreCase))))
        {
            var wheelhouse = Directory.CreateDirectory(Path.Combine(_folder.Path, "wheels")).FullName;
            File.Copy(wheel, Path.Combine(wheelhouse, Path.GetFileName(wheel)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var image in (string[])[_image, Own])
        {
            await s_engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", "--force", image);
        }

        _folder.Dispose();
    }

    [Fact(Timeout = 600_000)]
    public async Task They_are_added_and_nothing_that_the_image_pins_changes()
    {
        await BuildAsync("RUN pip install requests==2.32.4 packaging==25.0");

        Assert.Equal("", await RunAsync("ls /opt/uvlhub-aspire/packages | grep -E 'missing|^requests|^packaging' || true"));
        Assert.Equal(await RunAsync("pip list --format=freeze", Own), await RunAsync("pip list --format=freeze"));
        Assert.Equal("2.32.4", await RunAsync("""
            python -c "
            import sys
            sys.path.append('/opt/uvlhub-aspire/packages')
            import debugpy, opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.http, requests
            print(requests.__version__)"
            """));
    }

    [Fact(Timeout = 600_000)]
    public async Task What_stands_in_the_way_is_named_and_the_image_does_without()
    {
        // A version of protobuf that no OpenTelemetry goes with.
        await BuildAsync("""
            RUN mkdir /tmp/p && printf "from setuptools import setup\nsetup(name='protobuf', version='3.1')\n" > /tmp/p/setup.py \
                && cd /tmp/p && python setup.py --quiet bdist_wheel && pip install dist/*.whl
            """);

        Assert.Equal("no version goes with protobuf==3.1", await RunAsync("cat /opt/uvlhub-aspire/packages/opentelemetry.missing"));
        Assert.Equal("debugpy", await RunAsync("cd /opt/uvlhub-aspire/packages && ls -d debugpy"));
        Assert.Contains("protobuf==3.1\n", await RunAsync("pip list --format=freeze"), StringComparison.Ordinal);
    }

    private async Task BuildAsync(string instruction)
    {
        _folder.Write("Dockerfile", $"""
            FROM {ImageRecipe.StandIn(RepositoryFolder.StandIn("redis")).Image}
            RUN apt-get update \
                && apt-get install -y --no-install-recommends python3-pip python3-setuptools python3-wheel python-is-python3 \
                && rm /usr/lib/python3*/EXTERNALLY-MANAGED
            COPY wheels /wheels
            ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
            {instruction}
            """);
        var own = new ImageRecipe(Own, Path.Combine(_folder.Path, "Dockerfile"), _folder.Path, false, IsContentTagged: false)
        {
            Inputs = () => BuildInputs.Digest(Path.Combine(_folder.Path, "Dockerfile"), _folder.Path, mountedOver: null),
        };
        await _builder.EnsureAsync(ToolPackages.Upon(own, _image), NullLogger.Instance, Cancellation);
    }

    private async Task<string> RunAsync(string line, string? image = null)
    {
        var ran = await s_engine.RunAsync(
            s_limit, Cancellation, "run", "--rm", "--network", "none", "--entrypoint", "sh", image ?? _image, "-c", line);
        Assert.True(ran.Succeeded, ran.Error);
        return ran.Output;
    }
}
