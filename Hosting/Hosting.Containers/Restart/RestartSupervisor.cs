using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Starts containers with a <see cref="RestartPolicy"/> again when they die. The same container is started, not a new
/// one made, so that its name, its log and what it wrote stay; the orchestrator follows, with a changed host port too.
/// </summary>
internal sealed class RestartSupervisor(
    ResourceNotificationService notifications,
    ResourceLoggerService resourceLoggers,
    ContainerEngine engine,
    TimeProvider time,
    ILoggerFactory loggers) : BackgroundService
{
    private const string ContainerIdProperty = "container.id";
    private const int LinesShown = 15;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // The engine is asked again after this, and tells what has happened in the time between two questions.
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_overlap = TimeSpan.FromSeconds(2);

    // Docker gives its containers 15 seconds when it ends.
    private static readonly TimeSpan s_engineEnd = TimeSpan.FromSeconds(30);
    private readonly ILogger _console = loggers.CreateLogger("UvlhubAspire.Restart");
    private readonly EngineEvents _events = new(engine);
    private readonly ConcurrentDictionary<string, SupervisedContainer> _containers = new(StringComparer.Ordinal);
    private volatile bool _isOrchestratorBlind;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(WatchResourcesAsync(stoppingToken), WatchEngineAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The application ends.
        }
    }

    private async Task WatchResourcesAsync(CancellationToken cancellationToken)
    {
        await foreach (var change in notifications.WatchAsync(cancellationToken))
        {
            if (change.Resource.TryGetLastAnnotation<RestartPolicy>(out var policy) && ContainerId(change.Snapshot) is { Length: > 0 } id)
            {
                var container = _containers.GetOrAdd(id, _ => new SupervisedContainer(id, change, policy));
                container.StaysDown &= change.Snapshot.State?.Text != KnownResourceStates.Running;
                if (change.Snapshot.State?.Text == KnownResourceStates.Exited)
                {
                    _ = HandleAsync(container, cancellationToken);
                }
            }
        }
    }

    // The orchestrator follows the engine's events until the engine ends, and never again: a container that dies with it,
    // or afterwards, runs for ever in its eyes. So the engine is followed here as well.
    private async Task WatchEngineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await foreach (var id in _events.DeathsAsync(time.GetUtcNow() - s_overlap, cancellationToken))
            {
                if (_containers.TryGetValue(id, out var container))
                {
                    _ = HandleAsync(container, cancellationToken);
                }
            }

            if (await _events.RefusalAsync(cancellationToken) is { } refusal)
            {
                await WaitForEngineAsync(refusal, cancellationToken);
            }
            else
            {
                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }

    private async Task WaitForEngineAsync(string refusal, CancellationToken cancellationToken)
    {
        var gone = time.GetUtcNow();
        var waited = time.GetTimestamp();
        _isOrchestratorBlind = true;
        RestartLog.EngineGone(_console, engine.Executable, refusal);
        foreach (var container in _containers.Values)
        {
            if (container.Handled > gone - s_engineEnd)
            {
                // The engine has ended it together with itself, which looks as if a person had.
                container.StaysDown = false;
                container.Handled = default;
            }
        }

        foreach (var container in Wanted())
        {
            RestartLog.EngineGone(resourceLoggers.GetLogger(container.Change.ResourceId), engine.Executable, refusal);
            await PublishAsync(
                container.Change, new ResourceStateSnapshot(KnownResourceStates.RuntimeUnhealthy, KnownResourceStateStyles.Error),
                $"waiting for the container engine: {refusal}");
        }

        do
        {
            await Task.Delay(s_pause, time, cancellationToken);
        }
        while (await _events.RefusalAsync(cancellationToken) is not null);

        RestartLog.EngineBack(_console, engine.Executable, time.GetElapsedTime(waited).TotalSeconds);
        foreach (var container in Wanted())
        {
            _ = HandleAsync(container, cancellationToken);
        }
    }

    private IEnumerable<SupervisedContainer> Wanted() => _containers.Values.Where(container => !container.StaysDown);

    private async Task HandleAsync(SupervisedContainer container, CancellationToken cancellationToken)
    {
        try
        {
            // Every change of a resource that is down says again that it is down. One after the other, so that a death is
            // handled once, and a death right after a restart is not overlooked.
            await container.Gate.WaitAsync(cancellationToken);
            try
            {
                var death = await ContainerDeath.ReadAsync(engine, container.Id, cancellationToken);
                if (death is not null && death.FinishedAt != container.Handled)
                {
                    container.Handled = death.FinishedAt;
                    await HandleAsync(container, death, cancellationToken);
                }
                else if (death is null && _isOrchestratorBlind)
                {
                    await PublishRunningAsync(container, cancellationToken);
                }
            }
            finally
            {
                container.Gate.Release();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application ends, and so do its containers.
        }
        catch (Exception exception)
        {
            RestartLog.Failed(_console, container.Change.Resource.Name, exception.Message);
        }
    }

    private async Task HandleAsync(SupervisedContainer container, ContainerDeath death, CancellationToken cancellationToken)
    {
        var change = container.Change;
        var policy = container.Policy;
        var name = change.Resource.Name;
        var log = resourceLoggers.GetLogger(change.ResourceId);
        var decision = policy.Decide(death, container.Restarts);
        container.Restarts = decision.Restarts;
        var cause = death.OutOfMemory ? "it ran out of memory" : string.Create(CultureInfo.InvariantCulture, $"exit code {death.ExitCode}");
        switch (decision.Step)
        {
            case RestartStep.StayStopped:
                container.StaysDown = true;
                RestartLog.StoppedByHand(log, death.Container);
                break;

            case RestartStep.Finished:
                container.StaysDown = true;
                break;

            case RestartStep.GiveUp:
                container.StaysDown = true;
                var lines = await LastLinesAsync(container.Id, cancellationToken);
                foreach (var logger in (ILogger[])[log, _console])
                {
                    RestartLog.GivenUp(logger, name, death.Container, decision.Restarts + 1, cause, lines);
                }

                await PublishAsync(
                    change, new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error),
                    $"crash loop: given up after {decision.Restarts} in a row; {cause}");
                break;

            case RestartStep.Restart:
                foreach (var logger in (ILogger[])[log, _console])
                {
                    RestartLog.Restarting(
                        logger, name, death.Container, cause, decision.Delay.TotalSeconds, decision.Restarts, policy.Limit);
                }

                container.Total++;
                await PublishAsync(
                    change, new ResourceStateSnapshot("Restarting", KnownResourceStateStyles.Warn),
                    $"{container.Total}, the last at {death.FinishedAt.ToLocalTime():T}; {cause}");
                await Task.Delay(decision.Delay, time, cancellationToken);
                var started = await engine.RunAsync(s_limit, cancellationToken, "container", "start", container.Id);
                if (!started.Succeeded)
                {
                    RestartLog.Failed(log, name, started.Error);
                    RestartLog.Failed(_console, name, started.Error);
                    await PublishAsync(
                        change, new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error),
                        $"the restart failed: {started.Error}");
                }
                else if (_isOrchestratorBlind)
                {
                    await PublishRunningAsync(container, cancellationToken);
                }

                break;
        }
    }

    // The state is the orchestrator's again as soon as the container runs; the property stays beside it.
    private Task PublishAsync(ResourceEvent change, ResourceStateSnapshot state, string restarts) =>
        notifications.PublishUpdateAsync(change.Resource, change.ResourceId, snapshot => snapshot with
        {
            State = state,
            Properties =
            [
                .. snapshot.Properties.Where(property => property.Name != RestartsProperty),
                new ResourcePropertySnapshot(RestartsProperty, restarts),
            ],
        });

    // What the orchestrator says by itself as long as it follows the engine.
    private async Task PublishRunningAsync(SupervisedContainer container, CancellationToken cancellationToken)
    {
        if ((await engine.InspectAsync("container", container.Id, cancellationToken)).Found?.State?.Status == "running")
        {
            await notifications.PublishUpdateAsync(container.Change.Resource, container.Change.ResourceId, snapshot => snapshot with
            {
                State = new ResourceStateSnapshot(KnownResourceStates.Running, KnownResourceStateStyles.Success),
            });
        }
    }

    /// <summary>The property, shown among a resource's details, that tells of its restarts.</summary>
    public const string RestartsProperty = "Restarts";

    private async Task<string> LastLinesAsync(string id, CancellationToken cancellationToken)
    {
        var logs = await engine.RunAsync(
            s_limit, cancellationToken, "container", "logs", "--tail", LinesShown.ToString(CultureInfo.InvariantCulture), id);
        var lines = string.Join(Environment.NewLine, new[] { logs.Output, logs.Error }.Where(text => text.Length > 0));
        return lines.Length > 0 ? lines : "(it has printed nothing)";
    }

    private static string? ContainerId(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.FirstOrDefault(property => property.Name == ContainerIdProperty)?.Value as string;

    /// <summary>What is remembered of one container.</summary>
    private sealed class SupervisedContainer(string id, ResourceEvent change, RestartPolicy policy)
    {
        public string Id { get; } = id;

        public ResourceEvent Change { get; } = change;

        public RestartPolicy Policy { get; } = policy;

        public SemaphoreSlim Gate { get; } = new(1);

        public int Restarts { get; set; }

        public int Total { get; set; }

        /// <summary>The death that was handled last.</summary>
        public DateTimeOffset Handled { get; set; }

        /// <summary>Whether it was left as it is after that: stopped by a person, done, or given up.</summary>
        public bool StaysDown { get; set; }
    }
}
