using System.Runtime.Versioning;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Images;

[UnsupportedOSPlatform("windows")]
public sealed class ImageChooserTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task Whoever_stops_asking_for_an_image_does_not_answer_for_the_others()
    {
        // It has every image, and thinks about it until somebody says 'go'.
        var go = Path.Combine(_folder.Path, "go");
        var engine = _folder.Write("engine", $"#!/bin/sh\nuntil [ -e '{go}' ]; do sleep 0.1; done\n");
        File.SetUnixFileMode(engine, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var chooser = new ImageChooser(new ContainerEngine(engine), new ImageSourceSetting("Images", ImageSource.Auto));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chooser.AllPresentAsync(["image:1"], new CancellationToken(canceled: true)));

        await File.WriteAllTextAsync(go, "", TestContext.Current.CancellationToken);
        Assert.True(await chooser.AllPresentAsync(["image:1"], TestContext.Current.CancellationToken));
    }
}
