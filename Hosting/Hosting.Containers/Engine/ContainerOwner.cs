using System.Globalization;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Whose a container is that has a name which the model wants.</summary>
/// <param name="Name">The container's name.</param>
/// <param name="State">Its state, in the engine's words.</param>
/// <param name="Orchestrator">The process of Aspire's orchestrator that made it, if one did.</param>
/// <param name="Place">Where that process runs: <see cref="ProcessPlace"/>; <see langword="null"/> if nobody has written it down.</param>
/// <param name="ComposeProject">The compose project that it belongs to, if it does.</param>
public sealed record ContainerOwner(string Name, string State, int? Orchestrator, string? Place, string? ComposeProject)
{
    private const string OrchestratorLabel = "com.microsoft.developer.usvc-dev.creatorProcessId";
    private const string ComposeLabel = "com.docker.compose.project";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    /// <summary>Whether the orchestrator that made it still runs.</summary>
    public bool IsLiveOrchestrator => Orchestrator is { } process && RunningProcess.Is(process, "dcp");

    /// <summary>Whether it is left behind by a run that has ended. A process of another place cannot be seen from here; while its
    /// container runs, so may it.</summary>
    public bool IsLeftBehind => Orchestrator is not null && !IsLiveOrchestrator && !IsOfAnotherPlace;

    private bool IsOfAnotherPlace => State == "running" && Place is not null && Place != ProcessPlace.Current;

    /// <summary>What the user can do about it.</summary>
    public string Remedy => this switch
    {
        { Orchestrator: not null, IsOfAnotherPlace: true } =>
            $"an AppHost has it that shares this engine from another machine or out of a container: stop that one; if it has ended, 'docker rm -f {Name}' removes "
            + "the container, and its volumes stay",
        { Orchestrator: { } process } => $"another AppHost (orchestrator process {process}) has it: stop that one ('./run --stop')",
        { ComposeProject: { } project } =>
            $"the compose project '{project}' has it: 'docker compose -p {project} down' ends that one and keeps its volumes",
        _ => $"'docker rm -f {Name}' removes it, its volumes stay",
    };

    /// <summary>Finds the owners of those names that are taken, in the order of the names.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="names">The containers' names.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public static async Task<IReadOnlyList<ContainerOwner>> FindAsync(
        ContainerEngine engine, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        if (names.Count == 0)
        {
            return [];
        }

        var listed = await engine.RunAsync(
            s_limit, cancellationToken,
            [
                "container", "ls", "--all", .. names.SelectMany(name => new[] { "--filter", $"name=^{name}$" }), "--format",
                // What may be empty neither first nor last, where it would not be seen.
                $"{{{{.Names}}}}\t{{{{.Label \"{OrchestratorLabel}\"}}}}\t{{{{.Label \"{ProcessPlace.Label}\"}}}}\t"
                + $"{{{{.Label \"{ComposeLabel}\"}}}}\t{{{{.State}}}}",
            ]);
        var owners = from line in listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                     let words = line.TrimEnd('\r').Split('\t')
                     where words.Length == 5
                     select new ContainerOwner(
                         words[0], words[4], int.TryParse(words[1], CultureInfo.InvariantCulture, out var process) ? process : null,
                         words[2] is { Length: > 0 } place ? place : null,
                         words[3] is { Length: > 0 } project ? project : null);
        return [.. names.Join(owners, name => name, owner => owner.Name, (_, owner) => owner)];
    }
}
