using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// The path that everybody takes who has a network: images are pulled by their real names, and the checkout's own Dockerfile is
/// built with apt, curl and pip.
/// </summary>
[Collection(BoxGroup.Name), Trait("Needs", "wheels"), TestMethodOrderer(typeof(InOrderOfTheFile))]
public sealed class RegistryTests(NetworkInABox box, BoxedSample sample) : IClassFixture<BoxedSample>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task Images_are_pulled_by_their_real_names_and_the_sites_is_built_from_the_checkouts_own_Dockerfile()
    {
        var images = (await box.EngineAsync("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")).Split('\n');
        Assert.Contains("nginx:1.29.1", images);
        Assert.Matches(@"Pulling docker\.io/library/mariadb:12\.0\.2: \d+ of \d+ layers, \d[\d.]* MB", sample.Output);
        Assert.DoesNotContain(images, image => image.Contains(":debian-", StringComparison.Ordinal));

        // As the box delivers it: nothing was built of the database's image but what its Dockerfile says.
        var layers = await LayersAsync("mariadb_container");
        await box.EngineAsync("pull", "--quiet", "mariadb:12.0.2");
        Assert.StartsWith(
            (await box.EngineAsync("image", "inspect", "--format", "{{json .RootFS.Layers}}", "mariadb:12.0.2")).TrimEnd(']'),
            layers, StringComparison.Ordinal);

        // What pip was given is there in just these versions, and so is what came from Docker's own repository.
        var installed = await InsideAsync("pip", "freeze", "--all");
        Assert.All(
            await File.ReadAllLinesAsync(sample.Requirements, Cancellation),
            line => Assert.Contains($"\n{line}\n", $"\n{installed}\n", StringComparison.OrdinalIgnoreCase));
        Assert.StartsWith("Docker version ", await InsideAsync("docker", "--version"), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_site_is_seeded_and_can_be_used()
    {
        using var visitor = new Visitor(sample.Site);
        Assert.Contains("Coffee machine", await visitor.ReadAsync("/", Cancellation), StringComparison.Ordinal);
        await visitor.SignUpAsync(Cancellation);
        var upload = await visitor.UploadAsync(Cancellation);
        Assert.Equal(upload.Text, await visitor.DownloadAsync(upload, Cancellation));
    }

    [Fact]
    public void A_requirement_that_does_not_build_with_the_tools_of_today_is_built_with_older_ones_in_one_line() =>
        Assert.Single(sample.Output.Split('\n'), line => line.Contains("setuptools<81", StringComparison.Ordinal));

    [Fact(Timeout = 60_000)]
    public async Task Traces_and_the_debugger_are_there_without_a_word_in_the_checkout()
    {
        using var visitor = new Visitor(sample.Site);
        await visitor.ReadAsync("/", Cancellation);
        using var dashboard = Dashboard.Open(sample.Dashboard, BoxedSample.DashboardKey);
        var request = await dashboard.SpanAsync("web", span => span.Name == "GET /", Cancellation);
        await dashboard.SpanAsync(
            "web", span => span.ParentSpanId == request.SpanId && span["db.operation.name"] == "SELECT", Cancellation);

        var port = (await box.EngineAsync("port", $"{sample.Instance}_{InstanceOnEngine.Site}", "5678/tcp")).Split(':')[^1];
        using var debugger = await DebuggerClient.ConnectAsync(int.Parse(port, CultureInfo.InvariantCulture), Cancellation);
        await debugger.SendAsync("initialize", new JsonObject { ["adapterID"] = "python" }, Cancellation);
        await debugger.ReadAsync("response", "initialize", Cancellation);
    }

    [Fact(Timeout = 300_000)]
    public async Task A_second_run_builds_nothing_even_where_what_the_mount_covers_was_edited()
    {
        var images = await AllImagesAsync();
        await sample.Checkout.AddPageAsync("public", "edited", "return 'edited'");
        foreach (var file in (string[])["app.log", "rosemary/__pycache__/cli.cpython-313.pyc"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(sample.Checkout.File(file))!);
            await File.WriteAllTextAsync(sample.Checkout.File(file), "made by a run", Cancellation);
        }

        await sample.StartAsync();

        using var visitor = new Visitor(sample.Site);
        Assert.Equal("edited", await visitor.ReadAsync("/edited", Cancellation));
        Assert.Equal(images, await AllImagesAsync());
    }

    [Fact(Timeout = 600_000)]
    public async Task Requirements_that_were_edited_are_installed_at_the_next_run()
    {
        var before = await sample.SiteImageAsync();
        var text = await File.ReadAllTextAsync(sample.Requirements, Cancellation);
        // Both versions are in the index.
        var edited = text.Replace("bleach==6.2.0", "bleach==6.3.0", StringComparison.Ordinal);
        Assert.NotEqual(text, edited);
        await File.WriteAllTextAsync(sample.Requirements, edited, Cancellation);

        await sample.StartAsync();

        Assert.NotEqual(before, await sample.SiteImageAsync());
        Assert.Contains("bleach==6.3.0\n", await InsideAsync("pip", "freeze"), StringComparison.Ordinal);
    }

    private Task<string> AllImagesAsync() =>
        box.EngineAsync("image", "ls", "--all", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}} {{.CreatedAt}}");

    private async Task<string> LayersAsync(string container) => await box.EngineAsync(
        "image", "inspect", "--format", "{{json .RootFS.Layers}}",
        await box.EngineAsync("container", "inspect", "--format", "{{.Image}}", $"{sample.Instance}_{container}"));

    private Task<string> InsideAsync(params string[] command) =>
        box.EngineAsync(["exec", $"{sample.Instance}_{InstanceOnEngine.Site}", .. command]);
}
