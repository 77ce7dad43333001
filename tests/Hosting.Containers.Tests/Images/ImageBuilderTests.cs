using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

/// <summary>What a build says, and when there is one, on the real engine.</summary>
public sealed class ImageBuilderTests : IAsyncLifetime
{
    private static readonly ContainerEngine s_engine = new("docker");
    private readonly TemporaryFolder _folder = new();
    private readonly ImageBuilder _builder = new(s_engine, NullLoggerFactory.Instance);
    private readonly string _image = $"uvlhub-aspire/checkout-builder-tests:{Guid.NewGuid():N}";
    // The name goes to the latest one.
    private readonly HashSet<string> _built = [];
    private string _base = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Dockerfile => Path.Combine(_folder.Path, "Dockerfile.dev");

    public async ValueTask InitializeAsync() => _base = await TestContainer.EnsureImageAsync("nginx");

    public async ValueTask DisposeAsync()
    {
        await s_engine.RunAsync(TimeSpan.FromMinutes(1), CancellationToken.None, ["image", "rm", "--force", _image, .. _built]);
        _folder.Dispose();
    }

    [Fact(Timeout = 300_000)]
    public async Task A_build_that_fails_names_the_line_shows_its_programs_last_lines_and_says_what_helps()
    {
        _folder.Write("Dockerfile.dev", $"""
            FROM {_base}

            RUN echo first \
                && echo second
            RUN for line in $(seq 40); do echo "line $line"; done; echo "curl: (6) Could not resolve host: packages.example"; exit 6
            """);

        var failed = await Assert.ThrowsAsync<ImageException>(() => _builder.EnsureAsync(Recipe(), NullLogger.Instance, Cancellation));

        var lines = failed.Message.ReplaceLineEndings("\n").Split('\n');
        Assert.Equal($"The image {_image} could not be built:", lines[0]);
        Assert.StartsWith($"{Dockerfile}:5: RUN for line in ", lines[1], StringComparison.Ordinal);
        Assert.Equal("  curl: (6) Could not resolve host: packages.example", lines[^2]);
        Assert.StartsWith("What helps: nobody answers there: check the network, and the proxy", lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("  line 20", lines);
        Assert.Equal(failed.Message, failed.ToString());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_build_that_fails_is_tried_once_for_all_who_wait_for_it_and_again_for_who_comes_later()
    {
        _folder.Write("Dockerfile.dev", $"FROM {_base}\nRUN sleep 2; exit 6\n");
        var builds = 0;
        var recipe = Recipe() with
        {
            Prepare = (prepared, _, _) =>
            {
                builds++;
                return Task.FromResult(prepared);
            },
        };

        var failures = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => FailedAsync()));
        Assert.Equal(1, builds);
        Assert.Single(failures.Distinct());
        Assert.Equal(failures[0], await FailedAsync());
        Assert.Equal(2, builds);

        async Task<string> FailedAsync() =>
            (await Assert.ThrowsAsync<ImageException>(() => _builder.EnsureAsync(recipe, NullLogger.Instance, Cancellation))).Message;
    }

    [Fact(Timeout = 300_000)]
    public async Task A_base_image_that_is_nowhere_is_named_with_its_line()
    {
        _folder.Write("Dockerfile.dev", "# a comment\nFROM 127.0.0.1:1/python:3.12-slim\n");

        var failed = await Assert.ThrowsAsync<ImageException>(() => _builder.EnsureAsync(Recipe(), NullLogger.Instance, Cancellation));

        Assert.Contains($"{Dockerfile}:2: ", failed.Message, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1/python:3.12-slim: failed to resolve source metadata", failed.Message, StringComparison.Ordinal);
        Assert.Contains("connection refused", failed.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = 300_000)]
    public async Task It_builds_when_what_it_is_built_from_has_changed_and_only_then()
    {
        _folder.Write("requirements.txt", "flask\n");
        _folder.Write("app/__init__.py", "");
        _folder.Write("Dockerfile.dev", $"""
            FROM {_base}
            WORKDIR /app
            COPY requirements.txt .
            COPY app/ ./app
            RUN cp requirements.txt /installed
            """);
        var first = await BuiltAsync();
        Assert.Equal(first, await BuiltAsync());

        // Mounted over, written by what runs, or not copied.
        _folder.Write("app/__init__.py", "changed");
        _folder.Write("app/__pycache__/x.pyc", "changed");
        _folder.Write("app.log", "changed");
        _folder.Write("README.md", "changed");
        Assert.Equal(first, await BuiltAsync());

        _folder.Write("requirements.txt", "flask\nredis\n");
        var second = await BuiltAsync();
        Assert.NotEqual(first, second);
        Assert.Equal(second, await BuiltAsync());

        await File.AppendAllTextAsync(Dockerfile, "\nRUN touch /changed\n", Cancellation);
        Assert.NotEqual(second, await BuiltAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task A_base_image_can_be_replaced_by_one_that_is_in_no_registry()
    {
        _folder.Write("Dockerfile.dev", "FROM nowhere.example/python:3.12-slim\nRUN test \"$GIVEN\" = yes\n");
        _folder.Write("base/Dockerfile", $"FROM {_base}\nENV GIVEN=yes\n");
        var replaced = new ImageRecipe(
            $"{_image}-base", Path.Combine(_folder.Path, "base", "Dockerfile"), Path.Combine(_folder.Path, "base"), false, true);
        try
        {
            await _builder.EnsureAsync(
                Recipe() with { ReplacedBases = new Dictionary<string, ImageRecipe> { ["nowhere.example/python:3.12-slim"] = replaced } },
                NullLogger.Instance, Cancellation);
            Assert.True(await s_engine.HasImageAsync(_image, Cancellation));
        }
        finally
        {
            await s_engine.RunAsync(TimeSpan.FromMinutes(1), CancellationToken.None, "image", "rm", "--force", replaced.Image);
        }
    }

    [SupportedOSPlatform("linux")]
    [Fact(Timeout = 300_000)]
    public async Task A_builder_that_somebody_has_made_the_default_is_not_taken()
    {
        _folder.Write("Dockerfile.dev", $"FROM {_base}\n");
        // Its own configuration, not that of whoever runs the tests.
        var docker = _folder.Write("client", $"#!/bin/sh\nDOCKER_CONFIG='{_folder.Path}/configuration' exec docker \"$@\"\n");
        File.SetUnixFileMode(docker, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var engine = new ContainerEngine(docker);
        // Nobody answers there. 'install' makes it the one that 'docker build' takes, as older clients do by themselves.
        foreach (var words in (string[][])[
            ["create", "--name", "elsewhere", "--driver", "remote", "tcp://127.0.0.1:1"], ["use", "elsewhere"], ["install"]])
        {
            Assert.Equal(0, (await engine.RunAsync(TimeSpan.FromSeconds(30), Cancellation, ["buildx", .. words])).ExitCode);
        }

        await new ImageBuilder(engine, NullLoggerFactory.Instance).EnsureAsync(Recipe(), NullLogger.Instance, Cancellation);

        Assert.True(await s_engine.HasImageAsync(_image, Cancellation));
    }

    private ImageRecipe Recipe() => new(_image, Dockerfile, _folder.Path, NeedsDebianBase: false, IsContentTagged: false);

    private async Task<string> BuiltAsync()
    {
        await _builder.EnsureAsync(
            Recipe() with { Inputs = () => BuildInputs.Digest(Dockerfile, _folder.Path, "/app") }, NullLogger.Instance, Cancellation);
        var id = (await s_engine.InspectAsync("image", _image, Cancellation)).Found!.Id!;
        _built.Add(id);
        return id;
    }
}
