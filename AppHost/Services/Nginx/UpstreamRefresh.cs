using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Services;

/// <summary>
/// Has nginx look its upstreams up again when one of them has started, for it may have another address than before, or has
/// ended, so that the page for 502 comes at once and not after a connection that nobody answers.
/// </summary>
internal sealed partial class UpstreamRefresh(
    ContainerResource nginx, Upstreams upstreams, ResourceNotificationService notifications, ResourceLoggerService loggers,
    NginxReload reload)
    : BackgroundService
{
    private const string ContainerIdProperty = "container.id";
    private const int Attempts = 5;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    // At a start all come up within it, and nginx itself: one reload does for all of them.
    private static readonly TimeSpan s_together = TimeSpan.FromSeconds(0.5);

    private readonly Channel<string> _due = Channel.CreateBounded<string>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(WatchAsync(stoppingToken), RefreshAllAsync(stoppingToken));

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        var up = new HashSet<IResource>();
        string? container = null;
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            var isNginx = change.Resource == nginx;
            if (!isNginx && !upstreams.NamesOf(change.Resource).Any())
            {
                continue;
            }

            // One that is stopping still has its name.
            var isUp = change.Snapshot.State?.Text is { } state
                && (state == KnownResourceStates.Running || state == KnownResourceStates.Stopping);
            var hasChanged = isUp ? up.Add(change.Resource) : up.Remove(change.Resource);
            if (isNginx)
            {
                // It may be known to be up before it is known which it is.
                var before = container;
                container = isUp
                    ? change.Snapshot.Properties.FirstOrDefault(property => property.Name == ContainerIdProperty)?.Value as string
                    : null;
                hasChanged |= container != before;
            }

            if (hasChanged && container is not null)
            {
                _due.Writer.TryWrite(container);
            }
        }
    }

    private async Task RefreshAllAsync(CancellationToken stoppingToken)
    {
        while (await _due.Reader.WaitToReadAsync(stoppingToken))
        {
            await Task.Delay(s_together, stoppingToken);
            if (_due.Reader.TryRead(out var container))
            {
                await RefreshAsync(container, stoppingToken);
            }
        }
    }

    private async Task RefreshAsync(string container, CancellationToken cancellationToken)
    {
        // It may be about to start itself, and then has no process yet that could be told.
        string? problem;
        var attempt = 0;
        do
        {
            problem = await reload.RunAsync(container, cancellationToken);
            if (problem is not null)
            {
                await Task.Delay(s_pause, cancellationToken);
            }
        }
        while (problem is not null && ++attempt < Attempts);

        if (problem is not null)
        {
            LogNotRefreshed(loggers.GetLogger(nginx), problem);
        }
    }

    [LoggerMessage(EventId = 550, Level = LogLevel.Warning, Message = "nginx did not read its configuration again after one of its "
        + "upstreams had started or ended, and may still ask the old address; restart it if it answers 502: {Reason}")]
    private static partial void LogNotRefreshed(ILogger logger, string reason);
}
