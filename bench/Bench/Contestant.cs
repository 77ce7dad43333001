using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.Bench;

/// <summary>One side of the comparison: a copy of the checkout, brought up and taken down in its own way.</summary>
/// <param name="name">The prefix of what it makes.</param>
/// <param name="checkout">Its copy of the checkout.</param>
internal abstract class Contestant(string name, UvlhubCheckout checkout) : IAsyncDisposable
{
    private const int FirstPort = 16000;
    private const int LastPort = 20000;

    /// <summary>Longer than any start takes.</summary>
    protected static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(4);

    /// <summary>The prefix of the names of its containers and volumes.</summary>
    public string Name { get; } = name;

    /// <summary>Its copy of the checkout.</summary>
    public UvlhubCheckout Checkout { get; } = checkout;

    /// <summary>The site's port.</summary>
    public int Port { get; } = FreePort();

    /// <summary>The name of MariaDB's container.</summary>
    public abstract string DatabaseContainer { get; }

    /// <summary>The name of the container with the site.</summary>
    public abstract string WebContainer { get; }

    /// <summary>Brings it up and waits for the first page.</summary>
    public async Task<Start> StartAsync(CancellationToken cancellationToken)
    {
        await using var events = await EngineEvents.ListenAsync(cancellationToken);
        using var site = new Site(Port);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var started = DateTimeOffset.UtcNow;
        var since = Stopwatch.GetTimestamp();
        await LaunchAsync(since, ending.Token);
        var watch = new ProcessWatch();
        var watching = WatchAsync(watch, since, ending.Token);
        var firstPage = site.WaitAsync("/", _ => true, since, StartLimit, ending.Token);
        await Task.WhenAny(firstPage, FailureAsync(ending.Token));
        await ending.CancelAsync();
        if (!firstPage.IsCompleted)
        {
            // It throws: what was started has ended.
            await FailureAsync(CancellationToken.None);
        }

        var seconds = await firstPage;
        await watching;
        var ready = await DatabaseReadyAsync(started, cancellationToken);
        return new Start(seconds, [.. Phases([.. events.All.Where(e => e.Container.StartsWith(Name, StringComparison.Ordinal))], watch.Phases, started, ready, seconds).Where(phase => phase.End > phase.Start)]);
    }

    /// <summary>Gives the command that people type, which returns when the site can be used.</summary>
    /// <returns>After how many seconds it has returned.</returns>
    public async Task<double> DetachAsync(CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        await LaunchDetachedAsync(cancellationToken);
        var seconds = Stopwatch.GetElapsedTime(since).TotalSeconds;
        using var site = new Site(Port);
        await site.WaitAsync("/", _ => true, since, StartLimit, cancellationToken);
        return seconds;
    }

    /// <summary>Takes it down; afterwards none of its containers is left.</summary>
    /// <param name="removeData">Whether the database goes too.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public abstract Task StopAsync(bool removeData, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await StopAsync(removeData: true, CancellationToken.None);
        }
        catch (BenchException exception)
        {
            Console.Error.WriteLine(exception.Message);
        }
    }

    /// <summary>Gives the command, and returns as soon as it is under way.</summary>
    protected abstract Task LaunchAsync(long since, CancellationToken cancellationToken);

    /// <summary>Gives the command that people type, and waits until it has returned.</summary>
    protected abstract Task LaunchDetachedAsync(CancellationToken cancellationToken);

    /// <summary>Ends when what was launched cannot succeed any more, with the reason.</summary>
    /// <exception cref="BenchException">The reason.</exception>
    protected virtual Task FailureAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    /// <summary>Where the time went.</summary>
    protected abstract IEnumerable<Phase> Phases(
        IReadOnlyList<EngineEvent> events, IEnumerable<Phase> commands, DateTimeOffset started, double? databaseReady, double firstPage);

    /// <summary>The first process of a container on the host; <see langword="null"/> while it does not run.</summary>
    public static async Task<int?> ProcessOfAsync(string container, CancellationToken cancellationToken)
    {
        try
        {
            var id = await Tool.DockerAsync(cancellationToken, "container", "inspect", "--format", "{{.State.Pid}}", container);
            return int.Parse(id, CultureInfo.InvariantCulture) is > 0 and var process ? process : null;
        }
        catch (BenchException)
        {
            return null;
        }
    }

    /// <summary>
    /// A free port below those that the system gives out by itself: it is kept while its side is down, and must not be
    /// taken by somebody else's connection meanwhile.
    /// </summary>
    protected static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(FirstPort, LastPort);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // The next one.
            }
        }
    }

    /// <summary>Seconds between the command and an event; <see langword="null"/> if it did not happen.</summary>
    protected static double? At(IEnumerable<EngineEvent> events, DateTimeOffset started, string action, string container) =>
        events.FirstOrDefault(e => e.Action == action && e.Container == container) is { } found
            ? (found.Time - started).TotalSeconds
            : null;

    private async Task WatchAsync(ProcessWatch watch, long since, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                if (await ProcessOfAsync(WebContainer, cancellationToken) is { } process)
                {
                    await watch.RunAsync(process, () => Stopwatch.GetElapsedTime(since).TotalSeconds, cancellationToken);
                    return;
                }

                await Task.Delay(250, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The site is up.
        }
    }

    // The server says so in its log, each time it has started.
    private async Task<double?> DatabaseReadyAsync(DateTimeOffset started, CancellationToken cancellationToken)
    {
        var logs = await Tool.RunAsync(
            "sh", ["-c", "docker logs --timestamps \"$1\" 2>&1", "sh", DatabaseContainer], TimeSpan.FromSeconds(30), cancellationToken);
        return logs.Split('\n').LastOrDefault(line => line.Contains("ready for connections", StringComparison.Ordinal)) is { } line
            && DateTimeOffset.TryParse(line.Split(' ')[0], CultureInfo.InvariantCulture, out var time)
                ? (time - started).TotalSeconds
                : null;
    }
}
