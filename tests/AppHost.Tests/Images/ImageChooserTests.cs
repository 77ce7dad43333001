using UvlhubAspire.Engine;
using UvlhubAspire.Hosting.Containers;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Images;

public sealed class ImageChooserTests
{
    [Fact(Timeout = 60_000)]
    public async Task Whoever_stops_asking_for_an_image_does_not_answer_for_the_others()
    {
        var chooser = new ImageChooser(new ContainerEngine("true"), new ImageSourceSetting("Images", ImageSource.Auto));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => chooser.AllPresentAsync(["image:1"], new CancellationToken(canceled: true)));

        Assert.True(await chooser.AllPresentAsync(["image:1"], TestContext.Current.CancellationToken));
    }
}
