using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Engine;

namespace UvlhubAspire.AppHost.Restart;

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
    private readonly ILogger _console = loggers.CreateLogger("UvlhubAspire.Restart");
    private readonly ConcurrentDictionary<string, Watched> _containers = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var change in notifications.WatchAsync(stoppingToken))
            {
                if (change.Snapshot.State?.Text == KnownResourceStates.Exited
                    && change.Resource.TryGetLastAnnotation<RestartPolicy>(out var policy)
                    && ContainerId(change.Snapshot) is { Length: > 0 } id)
                {
                    _ = HandleAsync(change, policy, _containers.GetOrAdd(id, _ => new Watched(id)), stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The application ends.
        }
    }

    private async Task HandleAsync(ResourceEvent change, RestartPolicy policy, Watched container, CancellationToken cancellationToken)
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
                await HandleAsync(change, policy, container, death, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The application ends, and so do its containers.
        }
        catch (Exception exception)
        {
            RestartLog.Failed(_console, change.Resource.Name, exception.Message);
        }
        finally
        {
            container.Gate.Release();
        }
    }

    private async Task HandleAsync(ResourceEvent change, RestartPolicy policy, Watched container, ContainerDeath death, CancellationToken cancellationToken)
    {
        var name = change.Resource.Name;
        var log = resourceLoggers.GetLogger(change.ResourceId);
        var decision = policy.Decide(death, container.Restarts);
        container.Restarts = decision.Restarts;
        var cause = death.OutOfMemory ? "it ran out of memory" : string.Create(CultureInfo.InvariantCulture, $"exit code {death.ExitCode}");
        switch (decision.Step)
        {
            case RestartStep.StayStopped:
                RestartLog.StoppedByHand(log, death.Container);
                break;

            case RestartStep.Finished:
                break;

            case RestartStep.GiveUp:
                var lines = await LastLinesAsync(container.Id, cancellationToken);
                foreach (var logger in (ILogger[])[log, _console])
                {
                    RestartLog.GivenUp(logger, name, death.Container, decision.Restarts + 1, cause, lines);
                }

                await PublishAsync(change, new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error), $"crash loop: given up after {decision.Restarts} in a row; {cause}");
                break;

            case RestartStep.Restart:
                foreach (var logger in (ILogger[])[log, _console])
                {
                    RestartLog.Restarting(logger, name, death.Container, cause, decision.Delay.TotalSeconds, decision.Restarts, policy.Limit);
                }

                container.Total++;
                await PublishAsync(change, new ResourceStateSnapshot("Restarting", KnownResourceStateStyles.Warn), $"{container.Total}, the last at {death.FinishedAt.ToLocalTime():T}; {cause}");
                await Task.Delay(decision.Delay, time, cancellationToken);
                var started = await engine.RunAsync(s_limit, cancellationToken, "container", "start", container.Id);
                if (!started.Succeeded)
                {
                    RestartLog.Failed(log, name, started.Error);
                    RestartLog.Failed(_console, name, started.Error);
                    await PublishAsync(change, new ResourceStateSnapshot(KnownResourceStates.FailedToStart, KnownResourceStateStyles.Error), $"the restart failed: {started.Error}");
                }

                break;
        }
    }

    // The state is the orchestrator's again as soon as the container runs; the property stays beside it.
    private Task PublishAsync(ResourceEvent change, ResourceStateSnapshot state, string restarts) =>
        notifications.PublishUpdateAsync(change.Resource, change.ResourceId, snapshot => snapshot with
        {
            State = state,
            Properties = [.. snapshot.Properties.Where(property => property.Name != RestartsProperty), new ResourcePropertySnapshot(RestartsProperty, restarts)],
        });

    /// <summary>The property, shown among a resource's details, that tells of its restarts.</summary>
    public const string RestartsProperty = "Restarts";

    private async Task<string> LastLinesAsync(string id, CancellationToken cancellationToken)
    {
        var logs = await engine.RunAsync(s_limit, cancellationToken, "container", "logs", "--tail", LinesShown.ToString(CultureInfo.InvariantCulture), id);
        var lines = string.Join(Environment.NewLine, new[] { logs.Output, logs.Error }.Where(text => text.Length > 0));
        return lines.Length > 0 ? lines : "(it has printed nothing)";
    }

    private static string? ContainerId(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.FirstOrDefault(property => property.Name == ContainerIdProperty)?.Value as string;

    /// <summary>What is remembered of one container.</summary>
    private sealed class Watched(string id)
    {
        public string Id { get; } = id;

        public SemaphoreSlim Gate { get; } = new(1);

        public int Restarts { get; set; }

        public int Total { get; set; }

        public DateTimeOffset Handled { get; set; }
    }
}
