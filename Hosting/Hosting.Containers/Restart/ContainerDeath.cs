using System.Globalization;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>How a container's last run ended.</summary>
/// <param name="Container">The container's name.</param>
/// <param name="ExitCode">The exit code of its process.</param>
/// <param name="OutOfMemory">Whether the kernel ended it for want of memory.</param>
/// <param name="StartedAt">When the run began, by the engine's clock.</param>
/// <param name="FinishedAt">When it ended, by the engine's clock.</param>
public sealed record ContainerDeath(string Container, int ExitCode, bool OutOfMemory, DateTimeOffset StartedAt, DateTimeOffset FinishedAt)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    // The engine tells of a signal a moment after it has sent it.
    private static readonly TimeSpan s_afterwards = TimeSpan.FromSeconds(0.5);

    /// <summary>Whether somebody asked the engine to end it: the dashboard, the orchestrator, or <c>docker stop</c> in a
    /// terminal.</summary>
    public bool StoppedByHand { get; init; }

    /// <summary>How long it ran.</summary>
    public TimeSpan Ran => FinishedAt - StartedAt;

    /// <summary>Reads how a container ended; <see langword="null"/> if it is not there any more, or runs.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="id">The container's id.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<ContainerDeath?> ReadAsync(ContainerEngine engine, string id, CancellationToken cancellationToken)
    {
        var (found, _) = await engine.InspectAsync("container", id, cancellationToken);
        if (found?.State is not { Status: "exited" or "dead" } state)
        {
            return null;
        }

        var death = new ContainerDeath(found.Name!.TrimStart('/'), state.ExitCode, state.OOMKilled, state.StartedAt, state.FinishedAt);
        return death with { StoppedByHand = await WasAskedToEndAsync(engine, id, death, cancellationToken) };
    }

    // The engine keeps its latest events, and only there it can be seen who ended a container: whoever asks for it, by
    // 'stop', 'kill' or 'rm', leaves a kill event; a process that dies of itself does not.
    private static async Task<bool> WasAskedToEndAsync(
        ContainerEngine engine, string id, ContainerDeath death, CancellationToken cancellationToken)
    {
        var events = await engine.RunAsync(s_limit, cancellationToken,
            "events", "--filter", $"container={id}", "--filter", "event=kill", "--format", "{{.Actor.Attributes.signal}}",
            "--since", Seconds(death.StartedAt), "--until", Seconds(death.FinishedAt + s_afterwards));

        // Where it cannot be told, a container stays as it is: starting what was stopped on purpose is worse.
        return !events.Succeeded || events.Output.Split('\n').Any(EndsAProcess);
    }

    // Signals that servers take as a request to read their settings again, or to open their logs anew.
    private static bool EndsAProcess(string signal) => signal.Trim() is not ("" or "1" or "10" or "12" or "28");

    private static string Seconds(DateTimeOffset time) =>
        ((time - DateTimeOffset.UnixEpoch).Ticks / (decimal)TimeSpan.TicksPerSecond).ToString("0.0000000", CultureInfo.InvariantCulture);
}
