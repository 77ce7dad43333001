using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Site;

namespace UvlhubAspire.AppHost.Production;

/// <summary>
/// Replaces the running site by a newer version, without a request that fails: take the code, migrate, start the new one
/// beside the old, switch nginx when it is healthy, and only then replace the old one and its workers. Whatever fails
/// before the switch leaves the site as it was.
/// </summary>
internal sealed partial class Deployer(
    DeploymentTargets targets,
    NginxSwitch nginx,
    IVersionSource versions,
    ReplacedImages images,
    ResourceCommandService commands,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    IHostApplicationLifetime lifetime)
{
    private static readonly TimeSpan s_healthy = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_migrated = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_putBack = TimeSpan.FromMinutes(1);
    private readonly ILogger _logger = loggers.GetLogger(targets.Site);
    private int _isUnderWay;
    private string? _refused;

    /// <summary>Deploys what there is.</summary>
    /// <param name="cancellationToken">Ends the waiting; a deployment that has begun goes on, because half of one is worse.</param>
    /// <exception cref="DeploymentException">It failed; the message says why.</exception>
    public Task DeployAsync(CancellationToken cancellationToken) => DeployAsync(onlyNew: false).WaitAsync(cancellationToken);

    /// <summary>Deploys if there is a version that neither serves nor has failed before.</summary>
    /// <param name="cancellationToken">Ends the waiting; a deployment that has begun goes on.</param>
    /// <exception cref="DeploymentException">It failed; the message says why.</exception>
    public Task DeployNewAsync(CancellationToken cancellationToken) => DeployAsync(onlyNew: true).WaitAsync(cancellationToken);

    private async Task DeployAsync(bool onlyNew)
    {
        if (Interlocked.Exchange(ref _isUnderWay, 1) == 1)
        {
            throw new DeploymentException("another deployment is under way; try again when it has ended");
        }

        var ending = lifetime.ApplicationStopping;
        try
        {
            var change = await versions.TakeAsync(ending);
            if (onlyNew && (!change.IsNew || change.Now == _refused))
            {
                await PutBackAsync(change);
                return;
            }

            await DeployAsync(change, ending);
            LogDeployed();
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !ending.IsCancellationRequested)
        {
            LogFailed(failure.Message);
            throw failure as DeploymentException ?? new DeploymentException(failure.Message);
        }
        finally
        {
            Interlocked.Exchange(ref _isUnderWay, 0);
        }
    }

    private async Task DeployAsync(VersionChange change, CancellationToken cancellationToken)
    {
        var before = await images.NowAsync(cancellationToken);
        if (IsUp(targets.Standby))
        {
            // An earlier deployment got as far as the switch.
            await ReplaceAsync(cancellationToken);
        }

        try
        {
            LogStep("migrating");
            await MigrateAsync(cancellationToken);
            LogStep($"starting the new version beside the old one, as {targets.Standby.Name}");
            await StartAsync(targets.Standby, cancellationToken);
            // What the new version puts into the queue waits there for a worker that knows it.
            await StopWorkersAsync(cancellationToken);
            LogStep("sending requests to the new version");
            await nginx.ToAsync(targets.Standby.Name, cancellationToken);
        }
        catch (DeploymentException)
        {
            _refused = change.Now;
            await StopAsync(targets.Standby, cancellationToken);
            await PutBackAsync(change);
            await StartWorkersAsync(cancellationToken);
            throw;
        }

        await ReplaceAsync(cancellationToken);
        if (IsUp(targets.Toolbox))
        {
            await StopAsync(targets.Toolbox, cancellationToken);
            await StartBesideAsync(targets.Toolbox, cancellationToken);
        }

        await images.RemoveAsync(change.Image is { Length: > 0 } pulled ? [.. before, pulled] : before, cancellationToken);
    }

    private async Task ReplaceAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StopWorkersAsync(cancellationToken);
            await StartWorkersAsync(cancellationToken);
            await nginx.DrainAsync(cancellationToken);
            LogStep($"replacing {targets.Site.Name}");
            await StopAsync(targets.Site, cancellationToken);
            await StartAsync(targets.Site, cancellationToken);
            await nginx.BackAsync(cancellationToken);
        }
        catch (DeploymentException failure)
        {
            throw new DeploymentException(
                $"{failure.Message}. The new version serves, from {targets.Standby.Name}; deploy again to have it serve from "
                + $"{targets.Site.Name}");
        }

        await nginx.DrainAsync(cancellationToken);
        await StopAsync(targets.Standby, cancellationToken);
    }

    private async Task StopWorkersAsync(CancellationToken cancellationToken)
    {
        foreach (var worker in targets.Workers)
        {
            await StopAsync(worker, cancellationToken);
        }
    }

    private async Task StartWorkersAsync(CancellationToken cancellationToken)
    {
        foreach (var worker in targets.Workers.Where(worker => !IsUp(worker)))
        {
            await StartBesideAsync(worker, cancellationToken);
        }
    }

    // One that does not start keeps no request waiting, and so does not make the deployment fail.
    private async Task StartBesideAsync(FlaskResource resource, CancellationToken cancellationToken)
    {
        LogStep($"starting {resource.Name}");
        try
        {
            await StartAsync(resource, cancellationToken);
        }
        catch (DeploymentException failure)
        {
            LogWithout(resource.Name, failure.Message);
        }
    }

    private async Task PutBackAsync(VersionChange change)
    {
        using var limit = new CancellationTokenSource(s_putBack);
        if (await versions.PutBackAsync(change, limit.Token) is { } problem)
        {
            LogNotPutBack(problem);
        }
    }

    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        var before = State(targets.Migrator)?.StopTimeStamp;
        await ExecuteAsync(targets.Migrator, KnownResourceCommands.StartCommand, cancellationToken);
        var ended = await WithinAsync(s_migrated, "the migrator did not end", token => notifications.WaitForResourceAsync(
            targets.Migrator.Name,
            change => change.Snapshot.ExitCode is not null && change.Snapshot.StopTimeStamp is { } stopped && stopped != before,
            token), cancellationToken);
        if (ended.Snapshot.ExitCode != 0)
        {
            throw new DeploymentException(
                $"the migrator ended with exit code {ended.Snapshot.ExitCode}, and its log says why; the old version serves");
        }
    }

    private async Task StartAsync(FlaskResource resource, CancellationToken cancellationToken)
    {
        var before = State(resource);
        var wasElsewhere = before?.State?.Text != KnownResourceStates.FailedToStart;
        await WithinAsync(s_healthy, $"{resource.Name} did not become healthy", async token =>
        {
            // Until it has begun, its last end is all that is known; so it is watched from before the start.
            var begun = notifications.WaitForResourceAsync(resource.Name, change =>
            {
                var hasFailed = change.Snapshot.State?.Text == KnownResourceStates.FailedToStart;
                wasElsewhere |= !hasFailed;
                return (change.Snapshot.StartTimeStamp is { } started && started != before?.StartTimeStamp) || (hasFailed && wasElsewhere);
            }, token);
            await ExecuteAsync(resource, KnownResourceCommands.StartCommand, token);
            await begun;
            try
            {
                return await notifications.WaitForResourceHealthyAsync(resource.Name, WaitBehavior.StopOnResourceUnavailable, token);
            }
            catch (DistributedApplicationException)
            {
                throw new DeploymentException($"the new version does not start: {resource.Name}'s log says why");
            }
        }, cancellationToken);
    }

    private async Task StopAsync(FlaskResource resource, CancellationToken cancellationToken)
    {
        if (IsUp(resource))
        {
            await ExecuteAsync(resource, KnownResourceCommands.StopCommand, cancellationToken);
        }
    }

    private async Task ExecuteAsync(IResource resource, string command, CancellationToken cancellationToken)
    {
        var result = await commands.ExecuteCommandAsync(resource, command, cancellationToken);
        if (!result.Success)
        {
            throw new DeploymentException(
                $"'{command.Replace("resource-", "", StringComparison.Ordinal)}' of {resource.Name} failed: {result.Message}");
        }
    }

    private static async Task<T> WithinAsync<T>(
        TimeSpan time, string failure, Func<CancellationToken, Task<T>> wait, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(time);
        try
        {
            return await wait(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DeploymentException($"{failure} within {time.TotalMinutes:0} minutes");
        }
    }

    private bool IsUp(IResource resource) =>
        State(resource)?.State?.Text is { } state && (state == KnownResourceStates.Running || state == KnownResourceStates.Starting);

    private CustomResourceSnapshot? State(IResource resource) =>
        notifications.TryGetCurrentState(resource.Name, out var change) ? change.Snapshot : null;

    [LoggerMessage(EventId = 800, Level = LogLevel.Information, Message = "Deploying: {Step}")]
    private partial void LogStep(string step);

    [LoggerMessage(EventId = 801, Level = LogLevel.Information, Message = "The new version serves")]
    private partial void LogDeployed();

    [LoggerMessage(EventId = 802, Level = LogLevel.Error, Message = "Not deployed: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(EventId = 803, Level = LogLevel.Warning, Message = "What serves is not what the next start would take: the version "
        + "from before could not be put back ({Reason})")]
    private partial void LogNotPutBack(string reason);

    [LoggerMessage(EventId = 804, Level = LogLevel.Error, Message = "{Resource} is not there: {Reason}")]
    private partial void LogWithout(string resource, string reason);
}

/// <summary>The resources that a deployment works with.</summary>
/// <param name="Site">The site.</param>
/// <param name="Standby">The one that serves while the site is replaced.</param>
/// <param name="Migrator">What brings the schema up to date.</param>
/// <param name="Workers">What does the site's work in the background, with the same code.</param>
/// <param name="Toolbox">Where people run the code's commands.</param>
internal sealed record DeploymentTargets(
    FlaskResource Site, FlaskResource Standby, IResource Migrator, IReadOnlyList<FlaskResource> Workers, FlaskResource Toolbox);
