using System.Text.Json.Serialization;

namespace UvlhubAspire.Engine;

/// <summary>What the engine knows of a container, an image, a network or a volume, as far as anybody asks; each has a part of it.</summary>
/// <param name="Id">Its id; a volume has none.</param>
/// <param name="Name">Its name; a container's begins with a slash.</param>
/// <param name="Image">The id of a container's image.</param>
/// <param name="RepoTags">The names of an image.</param>
/// <param name="CreatedAt">When a volume was made.</param>
/// <param name="Labels">The labels of a network or a volume.</param>
/// <param name="Config">What a container was made with.</param>
/// <param name="State">How a container is.</param>
public sealed record EngineObject(
    string? Id,
    string? Name,
    string? Image,
    IReadOnlyList<string>? RepoTags,
    string? CreatedAt,
    IReadOnlyDictionary<string, string>? Labels,
    ContainerConfig? Config,
    ContainerState? State)
{
    /// <summary>A label's value; <see langword="null"/> if it has no such label.</summary>
    public string? Label(string name) => (Config?.Labels ?? Labels)?.GetValueOrDefault(name);
}

/// <summary>What a container was made with.</summary>
/// <param name="Labels">Its labels.</param>
public sealed record ContainerConfig(IReadOnlyDictionary<string, string>? Labels);

/// <summary>How a container is.</summary>
/// <param name="Status">In the engine's word: <c>created</c>, <c>running</c>, <c>exited</c>, …</param>
/// <param name="ExitCode">The exit code of its last process.</param>
/// <param name="OOMKilled">Whether the kernel ended that, because it ran out of memory.</param>
/// <param name="StartedAt">When it was started last.</param>
/// <param name="FinishedAt">When it ended last.</param>
/// <param name="Health">What the engine's own check says of it; <see langword="null"/> if there is none.</param>
public sealed record ContainerState(
    string Status, int ExitCode, bool OOMKilled, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, ContainerHealth? Health);

/// <summary>What the engine's own check says of a container.</summary>
/// <param name="Status"><c>starting</c>, <c>healthy</c> or <c>unhealthy</c>.</param>
/// <param name="Log">The last checks, the newest at the end.</param>
public sealed record ContainerHealth(string Status, IReadOnlyList<ContainerCheck>? Log);

/// <summary>One check of a container.</summary>
/// <param name="Output">What it printed.</param>
public sealed record ContainerCheck(string? Output);

[JsonSerializable(typeof(EngineObject[]))]
internal sealed partial class EngineJson : JsonSerializerContext;
