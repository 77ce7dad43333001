using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Starts containers with a <see cref="RestartPolicy"/> again when they die. The same container is started, not a new
/// one made, so that its name, its log and what it wrote stay; the orchestrator follows, with a changed host port too. What
/// <see cref="StartsAnew"/> names is the exception.
/// </summary>
internal sealed class RestartSupervisor(
    ResourceNotificationService notifications,
    ResourceLoggerService resourceLoggers,
    ResourceCommandService commands,
    ContainerEngine engine,
    TimeProvider time,
    ILoggerFactory loggers) : BackgroundService
{
    /// <summary>The property, shown among a resource's details, that tells of its restarts.</summary>
    public const string RestartsProperty = "Restarts";

    /// <summary>The state of one that has died and is about to be started again.</summary>
    public const string RestartingState = "Restarting";

    private const string ContainerIdProperty = "container.id";
    private const int LinesShown = 15;

    // One that waits before its next start keeps no other one waiting.
    private static readonly ParallelOptions s_allAtOnce = new() { MaxDegreeOfParallelism = 1024 };
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // The engine is asked again after this, and tells what has happened in the time between two questions.
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_overlap = TimeSpan.FromSeconds(2);

    // Docker gives its containers 15 seconds when it ends.
    private static readonly TimeSpan s_engineEnd = TimeSpan.FromSeconds(30);
    private readonly ILogger _console = loggers.CreateLogger("UvlhubAspire.Restart");
    private readonly EngineEvents _events = new(engine);
    private readonly ConcurrentDictionary<string, SupervisedContainer> _containers = new(StringComparer.Ordinal);
    private readonly Channel<SupervisedContainer> _down = Channel.CreateUnbounded<SupervisedContainer>();

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.WhenAll(
            WatchResourcesAsync(stoppingToken),
            WatchEngineAsync(stoppingToken),
            Parallel.ForEachAsync(
                _down.Reader.ReadAllAsync(stoppingToken), s_allAtOnce, (container, _) => HandleAsync(container, stoppingToken)));
    }

    private async Task WatchResourcesAsync(CancellationToken cancellationToken)
    {
        await foreach (var change in notifications.WatchAsync(cancellationToken))
        {
            if (change.Resource.TryGetLastAnnotation<RestartPolicy>(out var policy) && ContainerId(change.Snapshot) is { Length: > 0 } id)
            {
                // Started by hand, a resource has another container, which has not died yet.
                var container = _containers.AddOrUpdate(
                    change.ResourceId, _ => new(id, change, policy),
                    (_, known) => known.Id == id ? known : new(id, change, policy) { Restarts = known.WasReplaced ? known.Restarts : 0 });
                container.StaysDown &= change.Snapshot.State?.Text != KnownResourceStates.Running;
                if (change.Snapshot.State?.Text == KnownResourceStates.Exited)
                {
                    _down.Writer.TryWrite(container);
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
                foreach (var container in _containers.Values.Where(container => container.Id == id))
                {
                    _down.Writer.TryWrite(container);
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
        var (gone, waited) = (time.GetUtcNow(), time.GetTimestamp());
        RestartLog.EngineGone(_console, engine.Executable, refusal);
        foreach (var container in _containers.Values.Where(container => container.Handled > gone - s_engineEnd))
        {
            // The engine has ended it together with itself, which looks as if a person had.
            (container.StaysDown, container.Handled) = (false, default);
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
            _down.Writer.TryWrite(container);
        }
    }

    private IEnumerable<SupervisedContainer> Wanted() => _containers.Values.Where(container => !container.StaysDown);

    private async ValueTask HandleAsync(SupervisedContainer container, CancellationToken cancellationToken)
    {
        // Every change of a resource that is down says again that it is down. One after the other, so that a death is
        // handled once, and a death right after a restart is not overlooked.
        await container.Gate.WaitAsync(cancellationToken);
        try
        {
            var death = await ContainerDeath.ReadAsync(engine, container.Id, cancellationToken);
            if (death is null)
            {
                await PublishRunningAsync(container, cancellationToken);
            }
            else if (death.FinishedAt != container.Handled)
            {
                container.Handled = death.FinishedAt;
                await HandleAsync(container, death, cancellationToken);
            }
            else if (container.Failure is { } failure)
            {
                // The orchestrator may tell of the death only now, which the engine told long before.
                await PublishFailureAsync(container, failure);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            RestartLog.Failed(_console, container.Change.Resource.Name, exception.Message, exception);
        }
        finally
        {
            container.Gate.Release();
        }
    }

    private async Task HandleAsync(SupervisedContainer container, ContainerDeath death, CancellationToken cancellationToken)
    {
        var (change, policy, name) = (container.Change, container.Policy, container.Change.Resource.Name);
        ILogger[] logs = [resourceLoggers.GetLogger(change.ResourceId), _console];
        var decision = policy.Decide(death, container.Restarts);
        container.Restarts = decision.Restarts;
        container.StaysDown = decision.Step != RestartStep.Restart;
        container.Failure = null;
        var cause = death.OutOfMemory ? "it ran out of memory" : string.Create(CultureInfo.InvariantCulture, $"exit code {death.ExitCode}");
        switch (decision.Step)
        {
            case RestartStep.StayStopped:
                RestartLog.StoppedByHand(logs[0], death.Container);
                break;

            case RestartStep.GiveUp:
                var lines = await LastLinesAsync(container.Id, cancellationToken);
                foreach (var log in logs)
                {
                    RestartLog.GivenUp(log, name, death.Container, decision.Restarts + 1, cause, lines);
                }

                await PublishFailureAsync(container, $"crash loop: given up after {decision.Restarts} in a row; {cause}");
                break;

            case RestartStep.Restart:
                foreach (var log in logs)
                {
                    RestartLog.Restarting(
                        log, name, death.Container, cause, decision.Delay.TotalSeconds, decision.Restarts, policy.Limit);
                }

                container.Total++;
                await PublishAsync(
                    change, new ResourceStateSnapshot(RestartingState, KnownResourceStateStyles.Warn),
                    $"{container.Total}, the last at {death.FinishedAt.ToLocalTime():T}; {cause}");
                await Task.Delay(decision.Delay, time, cancellationToken);
                if (change.Resource.TryGetLastAnnotation<StartsAnew>(out var anew) && await anew.When(cancellationToken))
                {
                    container.WasReplaced = true;
                    await commands.ExecuteCommandAsync(change.ResourceId, KnownResourceCommands.StartCommand, cancellationToken);
                    break;
                }

                var started = await engine.RunAsync(s_limit, cancellationToken, "container", "start", container.Id);
                if (started.Succeeded)
                {
                    await PublishRunningAsync(container, cancellationToken);
                    break;
                }

                foreach (var log in logs)
                {
                    RestartLog.Failed(log, name, started.Error, exception: null);
                }

                await PublishFailureAsync(container, $"the restart failed: {started.Error}");
                break;
        }
    }

    private Task PublishFailureAsync(SupervisedContainer container, string failure)
    {
        container.Failure = failure;
        return PublishAsync(
            container.Change, new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error), failure);
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

        /// <summary>Why it was not started again after that, where that was not meant.</summary>
        public string? Failure { get; set; }

        /// <summary>Whether another one was made in its place: that one's deaths count on.</summary>
        public bool WasReplaced { get; set; }

        /// <summary>Whether it was left as it is after that: stopped by a person, done, or given up.</summary>
        public bool StaysDown { get; set; }
    }
}
