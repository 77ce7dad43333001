using UvlhubAspire.EndToEnd.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(NamelessImages))]

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// Removes, after all tests, the images that lost their names meanwhile: each rebuild and each deployment takes the name
/// from the image before it. Those that were there before, and those that a container has, stay.
/// </summary>
public sealed class NamelessImages : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private IReadOnlyList<string> _before = [];

    public async ValueTask InitializeAsync() => _before = await ListAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var image in (await ListAsync()).Except(_before))
        {
            await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "image", "rm", image);
        }
    }

    private static async Task<IReadOnlyList<string>> ListAsync() =>
        (await Uvlhub.Engine.RunAsync(s_limit, CancellationToken.None, "image", "ls", "--quiet", "--no-trunc", "--filter", "dangling=true"))
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
