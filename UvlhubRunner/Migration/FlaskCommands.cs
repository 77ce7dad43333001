using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Migration;

/// <summary>The commands of Flask and rosemary that change the database, each with a check of what came of it.</summary>
internal sealed partial class FlaskCommands(
    RunnerSettings settings, UvlhubDatabase database, Toolbox toolbox, TimeProvider time, ILogger<FlaskCommands> logger)
{
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(10);

    /// <summary>Whether an empty database is seeded: in development, by checkouts that have a seeder.</summary>
    public bool Seeds => settings.IsDevelopment && settings.Checkout.SeedCommand.Count > 0;

    /// <summary>Waits until they can run.</summary>
    /// <param name="several">Whether more than one will, which then is prepared.</param>
    public async Task WaitAsync(CancellationToken cancellationToken, bool several = false)
    {
        await toolbox.WaitAsync(cancellationToken);
        if (several)
        {
            toolbox.Prepare();
        }
    }

    /// <summary>Has them prepared as soon as they can run; whoever waits for them says what keeps them from it.</summary>
    public void PrepareEarly(CancellationToken cancellationToken) =>
        _ = WaitAsync(cancellationToken, several: true).ContinueWith(
            static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>Upgrades to the head and verifies that the database is there.</summary>
    /// <param name="environment">What makes it work on another database, which is then not verified.</param>
    /// <param name="to">The last revision that runs. Default: the head.</param>
    public async Task UpgradeAsync(
        RevisionGraph graph, IReadOnlyList<Revision> pending, CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? environment = null, string? to = null)
    {
        try
        {
            await RunAsync(
                to is null ? ["flask", "db", "upgrade"] : ["flask", "db", "upgrade", to], cancellationToken, environment);
        }
        catch (FlaskException exception) when (!exception.IsTransient && exception.Revision is { } id && graph.Find(id) is { } revision)
        {
            var done = pending.TakeWhile(step => step.Id != id).Count();
            throw new FlaskException(
                $"'flask db upgrade' failed in revision {id} ({revision.File}), after {done} of {pending.Count} revisions were done: "
                + $"{exception.Message}",
                isTransient: false,
                id);
        }

        if (environment is null)
        {
            await VerifyHeadAsync(graph, cancellationToken);
        }
    }

    public async Task SeedAsync(CancellationToken cancellationToken)
    {
        var command = settings.Checkout.SeedCommand;
        var output = await RunAsync(command, cancellationToken);
        if (output.SeederError is { } error)
        {
            throw new FlaskException($"'{string.Join(' ', command)}' ended with exit code 0, but said: {error}", isTransient: false);
        }

        if (settings.Checkout.SeedingSteps is { Count: > 0 } steps)
        {
            await RunAsync(steps, cancellationToken, shownAs: $"what {steps[^1]} does after it");
        }
    }

    /// <summary>Makes the first migration from the models: <c>flask db init</c>, <c>flask db migrate</c>.</summary>
    public async Task InitializeMigrationsAsync(bool isFolderMissing, CancellationToken cancellationToken)
    {
        if (isFolderMissing)
        {
            await RunAsync(["flask", "db", "init"], cancellationToken);
        }

        await RunAsync(["flask", "db", "migrate"], cancellationToken);
    }

    private async Task VerifyHeadAsync(RevisionGraph graph, CancellationToken cancellationToken)
    {
        // A zero exit code is not enough: with its logging misconfigured, flask db upgrade can pass over an error.
        var facts = await database.InspectAsync(cancellationToken);
        if (facts.Revisions is not [var revision] || revision != graph.Head.Id)
        {
            throw new MigrationFailedException(
                ExitCode.Failed,
                $"'flask db upgrade' ended without an error, but {database.Name} is at "
                + $"{Revision.List(facts.Revisions, none: "no revision")} and not at the checkout's head "
                + $"{graph.Head.Id}.");
        }
    }

    private async Task<FlaskOutput> RunAsync(
        IReadOnlyList<string> command, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? environment = null,
        string? shownAs = null)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = WatchAsync(shownAs ?? string.Join(' ', command), watching.Token);
        try
        {
            return await toolbox.RunAsync(command, cancellationToken, environment, shownAs: shownAs);
        }
        finally
        {
            await watching.CancelAsync();
            await watch;
        }
    }

    // Flask says nothing while one long statement runs; MariaDB knows how far it is, or what it waits for.
    private async Task WatchAsync(string command, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.Delay(s_heartbeat, time, cancellationToken);
                await database.BesideAsync(
                    async (connection, token) => LogStillRunning(
                        command, time.GetElapsedTime(started).TotalSeconds,
                        await database.DescribeActivityAsync(connection, token) ?? "MariaDB is idle"),
                    cancellationToken);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or MySqlException or MigrationFailedException)
        {
            // Only a report; the command itself will say what is wrong.
        }
    }

    [LoggerMessage(EventId = 410, Level = LogLevel.Information, Message = "  '{Command}' has been running for {Seconds:0} s: {Activity}")]
    private partial void LogStillRunning(string command, double seconds, string activity);
}
