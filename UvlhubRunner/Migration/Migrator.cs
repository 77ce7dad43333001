using Microsoft.Extensions.Logging;
using Polly.Registry;
using UvlhubRunner.Database;
using UvlhubRunner.Flask;
using UvlhubRunner.Resilience;
using UvlhubRunner.Revisions;
using UvlhubRunner.Settings;

namespace UvlhubRunner.Migration;

/// <summary>Brings a database to the checkout's head.</summary>
/// <param name="settings">Where it works.</param>
/// <param name="database">The database.</param>
/// <param name="toolbox">Where Flask runs.</param>
/// <param name="pipelines">How to try again.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class Migrator(
    RunnerSettings settings,
    UvlhubDatabase database,
    Toolbox toolbox,
    ResiliencePipelineProvider<string> pipelines,
    TimeProvider time,
    ILogger<Migrator> logger)
{
    /// <summary>Does what the state of the database asks for.</summary>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        using var activity = Telemetry.Step("migrate");
        var graph = RevisionGraph.Read(settings.Checkout.RevisionsDirectory);
        await pipelines.GetPipeline(Pipelines.Flask).ExecuteAsync(
            async token => await MigrateOnceAsync(graph, token), cancellationToken);
    }

    private async Task MigrateOnceAsync(RevisionGraph graph, CancellationToken cancellationToken)
    {
        await using var held = await MigrationLock.AcquireAsync(database, settings, time, logger, cancellationToken);
        await database.EnsureDatabasesAsync(held.Connection, cancellationToken);
        await database.CheckApplicationUserAsync(cancellationToken);

        var facts = await database.InspectAsync(cancellationToken);
        var pending = graph.Pending(facts.Revisions);
        if (pending.Count == 0)
        {
            LogAtHead(database.Name, graph.Head.Id);
            return;
        }

        LogBehind(database.Name, facts.Revisions.Count == 0 ? "empty" : $"at {string.Join(", ", facts.Revisions)}", pending.Count, graph.Head.Id);
        await toolbox.WaitAsync(cancellationToken);
        await toolbox.RunAsync(["flask", "db", "upgrade"], environment: null, cancellationToken);
        await VerifyHeadAsync(graph, cancellationToken);

        if (facts.IsEmpty && settings.IsDevelopment && settings.Checkout.SeedCommand is { Count: > 0 } seed)
        {
            var output = await toolbox.RunAsync(seed, environment: null, cancellationToken);
            if (output.SeederError is { } error)
            {
                throw new FlaskException(error, isTransient: false);
            }
        }

        LogMigrated(database.Name, graph.Head.Id);
    }

    private async Task VerifyHeadAsync(RevisionGraph graph, CancellationToken cancellationToken)
    {
        // A zero exit code is not enough: with its logging misconfigured, flask db upgrade can pass over an error.
        var facts = await database.InspectAsync(cancellationToken);
        if (facts.Revisions is not [var revision] || revision != graph.Head.Id)
        {
            throw new MigrationFailedException(
                ExitCode.Failed,
                $"'flask db upgrade' ended without an error, but {database.Name} is at {(facts.Revisions.Count == 0 ? "no revision" : string.Join(", ", facts.Revisions))} and not at the checkout's head {graph.Head.Id}.");
        }
    }

    [LoggerMessage(EventId = 400, Level = LogLevel.Information, Message = "{Database} is at the checkout's head {Revision}: nothing to do")]
    private partial void LogAtHead(string database, string revision);

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "{Database} is {Current}; {Count} revisions to run, up to {Head}")]
    private partial void LogBehind(string database, string current, int count, string head);

    [LoggerMessage(EventId = 402, Level = LogLevel.Information, Message = "{Database} is at the checkout's head {Revision}")]
    private partial void LogMigrated(string database, string revision);
}
