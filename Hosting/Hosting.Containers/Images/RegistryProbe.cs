using System.Collections.Concurrent;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Asks whether an image can be pulled, once an image and bounded in time, without pulling it.</summary>
/// <param name="engine">The container engine.</param>
public sealed class RegistryProbe(ContainerEngine engine)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(8);
    private readonly ConcurrentDictionary<string, Task<string?>> _answers = new(StringComparer.Ordinal);

    /// <summary>Why the images cannot be pulled; <see langword="null"/> if all can.</summary>
    public async Task<string?> RefusalAsync(IEnumerable<string> images, CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(images.Select(image => _answers.GetOrAdd(image, name => AskAsync(name, cancellationToken))));
        return answers.FirstOrDefault(answer => answer is not null);
    }

    private async Task<string?> AskAsync(string image, CancellationToken cancellationToken)
    {
        var result = await engine.RunAsync(s_limit, cancellationToken, "manifest", "inspect", image);
        return result.Succeeded ? null : result.Error.Split('\n')[0].Trim();
    }
}
