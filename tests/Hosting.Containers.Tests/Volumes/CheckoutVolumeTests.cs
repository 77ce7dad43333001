using Microsoft.Extensions.Logging.Abstractions;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Volumes;

/// <summary>To whom a volume belongs, on the real engine.</summary>
public sealed class CheckoutVolumeTests : IAsyncDisposable
{
    private static readonly ContainerEngine s_engine = new("docker");
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private readonly TemporaryFolder _folder = new();
    private readonly string _name = $"uvlhub-volume-tests-{Guid.NewGuid():N}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string First => Path.Combine(_folder.Path, "first");

    private string Second => Path.Combine(_folder.Path, "second");

    [Fact(Timeout = 120_000)]
    public async Task A_second_checkout_of_the_name_has_a_volume_of_its_own()
    {
        Directory.CreateDirectory(First);
        Assert.Equal((_name, true), await EnsureAsync(First));

        var (own, isNew) = await EnsureAsync(Second, mayBeginEmpty: false);

        Assert.StartsWith($"{_name}_", own, StringComparison.Ordinal);
        Assert.True(isNew);
        Assert.Equal((_name, false), await EnsureAsync(First));
    }

    [Fault(FaultArea.Production, "the checkout of a site is moved to another folder")]
    [Fact(Timeout = 120_000)]
    public async Task Of_a_checkout_that_was_moved_the_data_is_not_left_behind_unsaid()
    {
        Directory.CreateDirectory(First);
        await EnsureAsync(First);
        Directory.Move(First, Second);

        var refused = await Assert.ThrowsAsync<UserErrorException>(() => EnsureAsync(Second, mayBeginEmpty: false));

        Proof.Reads("which is not there any more. Was it moved", refused.Message);
        Assert.Contains($"'ln -s {Second} {First}'", refused.Message, StringComparison.Ordinal);
        await Proof.HappensAsync("no volume is made", async () => Assert.Equal([_name], await VolumesAsync()));

        Directory.CreateSymbolicLink(First, Second);
        await Proof.DataAsync("a link at the old place says that it is the same one, and the volume is the same", async () =>
            Assert.Equal((_name, false), await EnsureAsync(Second, mayBeginEmpty: false)));

        // The other way on, and where nobody would lose more than an example.
        Directory.Delete(First);
        var begun = await EnsureAsync(Second);
        Assert.True(begun.IsNew);
        Assert.Equal((begun.Name, false), await EnsureAsync(Second, mayBeginEmpty: false));
    }

    public async ValueTask DisposeAsync()
    {
        await s_engine.RunAsync(s_limit, CancellationToken.None, ["volume", "rm", "--force", .. await VolumesAsync()]);
        _folder.Dispose();
    }

    private Task<(string Name, bool IsNew)> EnsureAsync(string checkout, bool mayBeginEmpty = true) =>
        new CheckoutVolume(s_engine, NullLogger.Instance).EnsureAsync(_name, checkout, isNamedByUser: false, Cancellation, mayBeginEmpty);

    private async Task<string[]> VolumesAsync()
    {
        var listed = await s_engine.RunAsync(s_limit, CancellationToken.None, "volume", "ls", "--quiet", "--filter", $"name={_name}");
        return [.. listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
