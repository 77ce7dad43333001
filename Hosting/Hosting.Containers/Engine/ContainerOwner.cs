using System.Globalization;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Whose a container is that has a name which the model wants.</summary>
/// <param name="Name">The container's name.</param>
/// <param name="State">Its state, in the engine's words.</param>
/// <param name="Orchestrator">The process of Aspire's orchestrator that made it, if one did.</param>
/// <param name="ComposeProject">The compose project that it belongs to, if it does.</param>
public sealed record ContainerOwner(string Name, string State, int? Orchestrator, string? ComposeProject)
{
    private const string OrchestratorLabel = "com.microsoft.developer.usvc-dev.creatorProcessId";
    private const string ComposeLabel = "com.docker.compose.project";

    /// <summary>Whether the orchestrator that made it still runs.</summary>
    public bool IsLiveOrchestrator => Orchestrator is { } process && RunningProcess.Is(process, "dcp");

    /// <summary>What the user can do about it.</summary>
    public string Remedy => this switch
    {
        { Orchestrator: { } process } => $"another AppHost (orchestrator process {process}) has it: stop that one ('./run --stop')",
        { ComposeProject: { } project } =>
            $"the compose project '{project}' has it: 'docker compose -p {project} down' ends that one and keeps its volumes",
        _ => $"'docker rm -f {Name}' removes it, its volumes stay",
    };

    /// <summary>Finds the owner; <see langword="null"/> if there is no such container.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="name">The container's name.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public static async Task<ContainerOwner?> FindAsync(ContainerEngine engine, string name, CancellationToken cancellationToken)
    {
        var (found, _) = await engine.InspectAsync("container", name, cancellationToken);
        int? orchestrator = int.TryParse(found?.Label(OrchestratorLabel), CultureInfo.InvariantCulture, out var process) ? process : null;
        return found?.State is { Status: var state } ? new ContainerOwner(name, state, orchestrator, found.Label(ComposeLabel)) : null;
    }
}
