using System.Collections.Concurrent;
using System.Diagnostics;

namespace UvlhubAspire.Engine;

/// <summary>
/// Which images are on this machine. A start asks for a handful of them from several sides at once, and each question is a process: what
/// is asked within a moment becomes one, and who was there a few seconds ago is not asked for again.
/// </summary>
/// <param name="inspect">Asks the engine for images: a line for each that is there, and an error with its name for each that is not.</param>
internal sealed class ImagePresence(Func<IReadOnlyList<string>, Task<EngineResult>> inspect)
{
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, long> _seen = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private HashSet<string> _asked = [];
    private Task<IReadOnlySet<string>>? _answer;

    /// <summary>Whether one is present; not if the engine does not answer.</summary>
    public async Task<bool> IsPresentAsync(string image)
    {
        if (_seen.TryGetValue(image, out var seen) && Stopwatch.GetElapsedTime(seen) < s_fresh)
        {
            return true;
        }

        Task<IReadOnlySet<string>> answer;
        lock (_lock)
        {
            _asked.Add(image);
            answer = _answer ??= AskAsync();
        }

        return (await answer).Contains(image);
    }

    private async Task<IReadOnlySet<string>> AskAsync()
    {
        await Task.Delay(s_moment);
        string[] images;
        lock (_lock)
        {
            images = [.. _asked];
            (_asked, _answer) = ([], null);
        }

        var present = await PresentAsync(images);
        foreach (var image in present)
        {
            _seen[image] = Stopwatch.GetTimestamp();
        }

        return present;
    }

    private async Task<IReadOnlySet<string>> PresentAsync(string[] images)
    {
        var result = await inspect(images);
        if (result.Succeeded || images.Length == 1)
        {
            return result.Succeeded ? images.ToHashSet() : [];
        }

        // Every engine says which one it does not have in words of its own; Docker without the registry that is everybody's.
        var words = result.Error.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(word => word.Trim(':', '"'))
            .ToHashSet();
        var present = images
            .Where(image => !words.Any(word => image == word || image.EndsWith($"/{word}", StringComparison.Ordinal))).ToHashSet();
        if (present.Count == result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length)
        {
            return present;
        }

        var answers = await Task.WhenAll(images.Select(image => PresentAsync([image])));
        return answers.SelectMany(one => one).ToHashSet();
    }
}
