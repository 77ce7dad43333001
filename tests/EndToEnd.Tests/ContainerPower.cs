namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What the kernel lets a container's first process do.</summary>
/// <param name="Capabilities">The sets of capabilities that are not empty, one a line.</param>
/// <param name="MayGainMore">Whether a program that it starts may have more than itself.</param>
internal sealed record ContainerPower(string Capabilities, bool MayGainMore)
{
    /// <summary>Nothing beyond what every user's process may do, now and later.</summary>
    public static ContainerPower None { get; } = new("", MayGainMore: false);

    public static async Task<ContainerPower> OfAsync(Uvlhub uvlhub, string container, CancellationToken cancellationToken) =>
        Read(await uvlhub.InsideAsync(container, cancellationToken, "cat", "/proc/1/status"));

    /// <summary>Reads what the kernel says of a process.</summary>
    public static ContainerPower Read(string text)
    {
        var status = text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(":\t")).ToDictionary(parts => parts[0], parts => parts[^1], StringComparer.Ordinal);
        return new ContainerPower(
            string.Join('\n', status
                .Where(line => line.Key.StartsWith("Cap", StringComparison.Ordinal) && line.Value.Trim('0').Length > 0)
                .Select(line => $"{line.Key}: {line.Value}")),
            status["NoNewPrivs"] != "1");
    }
}
