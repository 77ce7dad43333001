using System.Diagnostics;
using System.Runtime.Versioning;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

/// <summary>Which image a container runs, and what a registry's answer has to do with it: asked of the engine and of a registry.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ImageChooserTests : IDisposable
{
    private static readonly ContainerEngine s_engine = new("docker");
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task Whoever_stops_asking_for_an_image_does_not_answer_for_the_others()
    {
        // It has every image, and thinks about it until somebody says 'go'.
        var go = Path.Combine(_folder.Path, "go");
        var engine = _folder.Write("engine", $"#!/bin/sh\nuntil [ -e '{go}' ]; do sleep 0.1; done\n");
        File.SetUnixFileMode(engine, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var images = new Images(new ContainerEngine(engine));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => images.Chooser.AllPresentAsync(["image:1"], new CancellationToken(canceled: true)));

        await File.WriteAllTextAsync(go, "", Cancellation);
        Assert.True(await images.Chooser.AllPresentAsync(["image:1"], Cancellation));
    }

    [Fact(Timeout = 300_000)]
    public async Task What_a_registry_delivers_is_pulled_layer_by_layer_and_no_stand_in_takes_its_place()
    {
        await using var registry = await TestContainer.StartAsync("registry", ["--publish", "127.0.0.1::5000"]);
        var image = await PushAsync(registry);
        var images = new Images(s_engine);
        try
        {
            var choice = await images.Chooser.ChooseAsync(Container(image, UnbuiltStandIn()), Cancellation);
            Assert.Equal((image, "pulled from its registry"), (choice.Image, choice.Reason));

            await images.Puller.EnsureAsync(image, NullLogger.Instance, Cancellation);
            Assert.True(await s_engine.HasImageAsync(image, Cancellation));
            Assert.Contains(images.Said, line => line.StartsWith($"Pulling {image}: ", StringComparison.Ordinal));

            // The second time nobody is asked.
            await registry.KillAsync();
            var again = await new Images(s_engine).Chooser.ChooseAsync(Container(image, StandIn("nginx")), Cancellation);
            Assert.Equal((image, true, "present on this machine"), (again.Image, again.IsHere, again.Reason));
        }
        finally
        {
            await s_engine.RunAsync(TimeSpan.FromMinutes(1), CancellationToken.None, "image", "rm", image);
        }
    }

    [Fact(Timeout = 300_000)]
    public async Task A_registry_that_says_no_is_an_error_with_its_words_and_what_to_do_and_no_reason_for_a_stand_in()
    {
        await using var registry = await TestContainer.StartAsync("registry", ["--publish", "127.0.0.1::5000"]);
        await AnswersAsync(registry);
        var image = $"127.0.0.1:{await registry.PortAsync(5000)}/team/tool:9";
        var images = new Images(s_engine);

        var choice = await images.Chooser.ChooseAsync(Container(image, UnbuiltStandIn()), Cancellation);

        Assert.Equal((image, null), (choice.Image, choice.Recipe));
        var refused = await Assert.ThrowsAsync<ImageException>(
            () => images.Puller.EnsureAsync(image, NullLogger.Instance, Cancellation));
        Assert.StartsWith($"{image} cannot be pulled: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("manifest unknown", refused.Message, StringComparison.Ordinal);
        Assert.Contains("the registry has no such image or tag: look at the name", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refused.ToString(), StringComparison.Ordinal);
    }

    [Fault(FaultArea.Engine, "no registry answers")]
    [Fact(Timeout = 300_000)]
    public async Task Where_nobody_answers_the_stand_in_takes_the_place_and_says_so_without_holding_up_the_start()
    {
        const string Image = "127.0.0.1:1/library/nginx:1.29.1";
        var folder = UnbuiltStandIn();
        var images = new Images(s_engine);
        var container = Container(Image, folder);
        var begun = Stopwatch.GetTimestamp();

        var choice = await images.Chooser.ChooseAsync(container, Cancellation);

        var took = Stopwatch.GetElapsedTime(begun);
        Proof.Happens("the stand-in takes the place of the image, and the reason is said", () =>
        {
            Assert.Equal(ImageRecipe.StandIn(folder).Image, choice.Image);
            Assert.StartsWith(
                $"built from Debian's packages in place of {Image}, which no registry delivers here (", choice.Reason,
                StringComparison.Ordinal);
            Assert.Contains("connection refused", choice.Reason, StringComparison.Ordinal);
        });
        Proof.Happens("a start waits 8 s for it at most", () => Assert.True(took < TimeSpan.FromSeconds(9), $"{took}"));
        Proof.Sentence(choice.Reason);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_stand_in_that_is_built_already_asks_nobody_before_the_start()
    {
        var standIn = await TestContainer.EnsureImageAsync("nginx");
        var images = new Images(s_engine);

        var choice = await images.Chooser.ChooseAsync(Container("127.0.0.1:1/library/nginx:1.29.1", StandIn("nginx")), Cancellation);

        Assert.Equal((standIn, true), (choice.Image, choice.IsHere));
        Assert.Equal(["127.0.0.1:1/library/nginx:1.29.1"], choice.InPlaceOf);
        Assert.Empty(images.Said);
    }

    [Fact(Timeout = 300_000)]
    public async Task What_holds_the_stand_in_back_is_asked_where_the_real_image_is_here_and_said()
    {
        // Any image that is here stands for the real one.
        var real = await TestContainer.EnsureImageAsync("registry");
        var standIn = await TestContainer.EnsureImageAsync("nginx");
        var container = Container(real, StandIn("nginx"));
        container.Annotations.Add(new ContainerImage(StandIn("nginx")) { HeldBack = _ => Task.FromResult<string?>("because of its volume") });

        var choice = await new Images(s_engine).Chooser.ChooseAsync(container, Cancellation);

        Assert.Equal(standIn, choice.Image);
        Assert.Equal($"built from Debian's packages in place of {real}, because of its volume", choice.Reason);
    }

    // A registry is asked before one is built.
    private string UnbuiltStandIn() =>
        Path.GetDirectoryName(_folder.Write("nothing/Dockerfile", $"FROM scratch\nLABEL of={Guid.NewGuid():N}\n"))!;

    private static string StandIn(string name) => RepositoryFolder.StandIn(name);

    private static ContainerResource Container(string image, string standIn)
    {
        var container = new ContainerResource("tool");
        var separator = image.LastIndexOf(':');
        container.Annotations.Add(new ContainerImageAnnotation { Image = image[..separator], Tag = image[(separator + 1)..] });
        container.Annotations.Add(new ContainerImage(standIn));
        return container;
    }

    private async Task<string> PushAsync(TestContainer registry)
    {
        await AnswersAsync(registry);
        var image = $"127.0.0.1:{await registry.PortAsync(5000)}/team/tool:1";
        // Of a layer that the engine has forgotten when the name is gone, as it has none of a build's.
        var file = _folder.Write("content/file", $"{Guid.NewGuid()}");
        var archive = Path.Combine(_folder.Path, "content.tar");
        await System.Formats.Tar.TarFile.CreateFromDirectoryAsync(Path.GetDirectoryName(file)!, archive, includeBaseDirectory: false, Cancellation);
        await TestContainer.DockerAsync("import", archive, image);
        await TestContainer.DockerAsync("push", "--quiet", image);
        await TestContainer.DockerAsync("rmi", image);
        return image;
    }

    private static Task<string> AnswersAsync(TestContainer registry) => TestContainer.EventuallyAsync(async () =>
    {
        using var client = new HttpClient();
        return await client.GetStringAsync(new Uri($"http://127.0.0.1:{await registry.PortAsync(5000)}/v2/"), Cancellation);
    });

    /// <summary>What chooses, pulls and builds, and what it says.</summary>
    private sealed class Images : ILoggerProvider, ILogger
    {
        public Images(ContainerEngine engine)
        {
            var loggers = LoggerFactory.Create(logging => logging.AddProvider(this));
            var setting = new ImageSourceSetting("Images", ImageSource.Auto);
            Puller = new ImagePuller(engine, new Application(), setting, loggers);
            Chooser = new ImageChooser(engine, Puller, new ImageBuilder(engine, loggers), setting);
        }

        public ImagePuller Puller { get; }

        public ImageChooser Chooser { get; }

        public System.Collections.Concurrent.ConcurrentQueue<string> Said { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }

    private sealed class Application : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication()
        {
        }
    }
}
