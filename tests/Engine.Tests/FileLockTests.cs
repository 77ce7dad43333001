using Xunit;

namespace UvlhubAspire.Engine.Tests;

public sealed class FileLockTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task The_second_comes_in_when_the_first_has_left()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "made/image.lock");
        var first = await FileLock.EnterAsync(file, Cancellation);
        var second = FileLock.EnterAsync(file, Cancellation);
        await Task.Delay(500, Cancellation);
        Assert.False(second.IsCompleted);

        first!.Dispose();
        using var entered = await second;
        Assert.NotNull(entered);
    }

    [Fact(Timeout = 60_000)]
    public async Task Where_no_file_can_be_made_nobody_waits()
    {
        using var folder = new TemporaryFolder();
        folder.Write("a-file", "");
        Assert.Null(await FileLock.EnterAsync(Path.Combine(folder.Path, "a-file/image.lock"), Cancellation));
    }
}
