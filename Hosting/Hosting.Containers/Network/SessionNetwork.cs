using Aspire.Hosting.Eventing;
using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Holds the first containers back until the network is there that they are to join. Aspire creates both at the same
/// time, and its orchestrator tries a container that comes a moment too early again only after a second.
/// </summary>
/// <remarks>
/// That the network is there stands only in the orchestrator's log. Should another version word it otherwise, the first
/// containers start after <see cref="s_limit"/>.
/// </remarks>
internal sealed class SessionNetwork : ILoggerProvider, ILogger, IDistributedApplicationEventingSubscriber
{
    /// <summary>The log in which the orchestrator tells of networks; it needs the level <see cref="LogLevel.Debug"/>.</summary>
    public const string Category = "Aspire.Hosting.Dcp.dcp.NetworkReconciler";

    private const string Created = "Network created";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);
    private readonly TaskCompletionSource _isThere = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public Task SubscribeAsync(
        IDistributedApplicationEventing eventing, DistributedApplicationExecutionContext context, CancellationToken cancellationToken)
    {
        if (context.IsRunMode)
        {
            eventing.Subscribe<BeforeResourceStartedEvent>(
                (started, ct) => started.Resource is ContainerResource ? WaitAsync(ct) : Task.CompletedTask);
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => categoryName == Category ? this : NullLogger.Instance;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => !_isThere.Task.IsCompleted;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && formatter(state, exception).StartsWith(Created, StringComparison.Ordinal))
        {
            _isThere.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held.
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAny(_isThere.Task, Task.Delay(s_limit, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
        // Once is enough: what starts later finds the network.
        _isThere.TrySetResult();
    }
}
