using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.AppHost.Site;

/// <summary>What can be done to the database from the dashboard, and with <c>aspire resource migrator …</c>.</summary>
internal static class MigratorCommands
{
    private const string Snapshot = "snapshot";

    // The runner has limits of its own, and says what it has waited for. Whoever is stopped from outside has to undo, which takes as long.
    private static readonly TimeSpan s_limit = TimeSpan.FromHours(24);
    private static readonly TimeSpan s_listLimit = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Adds <c>migrate</c>, <c>status</c>, <c>seed</c>, <c>backup</c>, <c>snapshots</c>, <c>restore</c> and <c>reset</c>. All
    /// but the first are UvlhubRunner's verbs of the same name; what destroys asks before, and dumps before.
    /// </summary>
    public static IResourceBuilder<MigratorResource> WithMigratorCommands(this IResourceBuilder<MigratorResource> builder) => builder
        .WithCommand("migrate", "Migrate", context => MigrateAsync(builder.Resource, context), new CommandOptions
        {
            Description = "Bring the database to the checkout's newest revision, and start what has been waiting for it",
            IconName = "DatabaseArrowUp",
            IsHighlighted = true,
            Progress = new CommandProgressOptions { Message = "Migrating; the log shows what is done" },
        })
        .WithVerb("status", "Status", "Say how the database stands to the checkout, and what 'Migrate' would do", "Info")
        .WithVerb("seed", "Seed", "Run the checkout's seeder on a migrated database", "PlantGrass", progress: "Seeding")
        .WithVerb("backup", "Backup", "Make a snapshot of the database", "Save", progress: "Making a snapshot")
        .WithVerb("snapshots", "Snapshots", "List the snapshots", "History")
        .WithVerb(
            "restore",
            "Restore…",
            "Give the database a snapshot's content; what is in it now is dumped first",
            "ArrowReset",
            progress: "Restoring",
            confirmation: "The database gets the snapshot's content. What is in it now is dumped first, and can be restored in its turn.",
            argument: new InteractionInput
            {
                Name = Snapshot,
                Label = "Snapshot",
                Description = "Its name, as 'Snapshots' lists it",
                InputType = InputType.Choice,
                Required = true,
                AllowCustomChoice = true,
                DynamicLoading = new InputLoadOptions { AlwaysLoadOnStart = true, LoadCallback = context => LoadSnapshotsAsync(builder.Resource, context) },
            })
        .WithVerb(
            "reset",
            "Reset",
            "Empty the database, and bring it to the checkout's newest revision as a new one, with the seeder's rows",
            "DatabaseWarning",
            progress: "Resetting",
            confirmation: "Everything in the database is deleted, and it starts anew. It is dumped first: 'Restore…' brings it back.",
            option: "--yes");

    private static IResourceBuilder<MigratorResource> WithVerb(
        this IResourceBuilder<MigratorResource> builder,
        string verb,
        string title,
        string description,
        string icon,
        string? progress = null,
        string? confirmation = null,
        string? option = null,
        InteractionInput? argument = null) =>
        builder.WithCommand(
            verb,
            title,
            context =>
                RunVerbAsync(
                    builder.Resource, context,
                    [verb, .. new[] { option, argument is null ? null : context.Optional(argument.Name) }.OfType<string>()]),
            new CommandOptions
            {
                Description = description,
                IconName = icon,
                ConfirmationMessage = confirmation,
                Arguments = argument is null ? [] : [argument],
                Progress = progress is null ? null : new CommandProgressOptions { Message = $"{progress}; the log shows what is done" },
            });

    private static async Task<ExecuteCommandResult> RunVerbAsync(
        MigratorResource migrator, ExecuteCommandContext context, IReadOnlyList<string> words)
    {
        try
        {
            var outcome = await RunnerProgram.RunAsync(
                migrator, context.Services, context.Logger, s_limit, words, context.CancellationToken);
            return outcome.Succeeded
                ? CommandArguments.Answer($"{words[0]}: done", outcome.Text)
                : CommandResults.Failure(
                    $"{words[0]}: {Cause(outcome.ExitCode)}", new CommandResultData { Value = outcome.Tail, DisplayImmediately = true });
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            return CommandResults.Failure($"{words[0]}: {exception.Message}");
        }
    }

    private static string Cause(int exitCode) => (ExitCode)exitCode switch
    {
        ExitCode.Mistake => "a mistake in a setting or in the checkout's files",
        ExitCode.Refused => "refused, nothing was changed",
        ExitCode.Unreachable => "the database or the toolbox did not answer, or refuses the credentials",
        ExitCode.Failed => "failed, the database is as it was before",
        ExitCode.NotRestored => "failed, and the database could not be put back",
        ExitCode.Interrupted => "interrupted",
        _ => $"failed with exit code {exitCode}",
    };

    /// <summary>
    /// Runs the migrator itself once more, so that what waits for it sees that it has succeeded, and starts what had given
    /// up waiting.
    /// </summary>
    private static async Task<ExecuteCommandResult> MigrateAsync(MigratorResource migrator, ExecuteCommandContext context)
    {
        var notifications = context.Services.GetRequiredService<ResourceNotificationService>();
        var commands = context.Services.GetRequiredService<ResourceCommandService>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        limit.CancelAfter(s_limit);

        var before = notifications.TryGetCurrentState(context.ResourceName, out var current) ? current.Snapshot.StartTimeStamp : null;
        var ended = current?.Snapshot.ExitCode is not null || KnownResourceStates.TerminalStates.Contains(current?.Snapshot.State?.Text);
        if (ended)
        {
            var started = await commands.ExecuteCommandAsync(migrator, KnownResourceCommands.StartCommand, limit.Token);
            if (!started.Success)
            {
                return CommandResults.Failure($"migrate: the migrator cannot be started: {started.Message}");
            }
        }

        try
        {
            var done = await notifications.WaitForResourceAsync(
                migrator.Name,
                change => change.Snapshot.ExitCode is not null && (!ended || change.Snapshot.StartTimeStamp != before),
                limit.Token);
            if (done.Snapshot.ExitCode is not 0 and { } exitCode)
            {
                return CommandResults.Failure($"migrate: {Cause(exitCode)}; the migrator's log says more");
            }
        }
        catch (OperationCanceledException)
        {
            await commands.ExecuteCommandAsync(migrator, KnownResourceCommands.StopCommand, CancellationToken.None);
            context.CancellationToken.ThrowIfCancellationRequested();
            return CommandResults.Failure($"migrate: not done within {s_limit.TotalHours:0} hours and stopped");
        }

        var waiting = context.Services.GetRequiredService<DistributedApplicationModel>().Resources.OfType<FlaskResource>()
            .Where(flask => flask.IsApplication
                && notifications.TryGetCurrentState(flask.Name, out var state)
                && state.Snapshot.State?.Text == KnownResourceStates.FailedToStart)
            .ToList();
        foreach (var flask in waiting)
        {
            await commands.ExecuteCommandAsync(flask, KnownResourceCommands.StartCommand, limit.Token);
        }

        return CommandArguments.Answer("migrate: done", waiting.Count == 0
            ? "The migrator has finished; its log says what it did."
            : $"The migrator has finished; started {string.Join(", ", waiting.Select(flask => flask.Name))}.");
    }

    private static async Task LoadSnapshotsAsync(MigratorResource migrator, LoadInputContext context)
    {
        try
        {
            var log = context.Services.GetRequiredService<ILoggerFactory>().CreateLogger("UvlhubAspire.Commands");
            var outcome = await RunnerProgram.RunAsync(
                migrator, context.Services, log, s_listLimit, ["snapshots"], context.CancellationToken);
            // '  NAME  revision …': docs/migrations.md.
            context.Input.Options =
            [
                .. outcome.Answer
                    .Where(line => line.StartsWith("  ", StringComparison.Ordinal))
                    .Select(line => line.Trim().Split("  ", 2))
                    .Select(parts => KeyValuePair.Create(parts[0], string.Join(": ", parts))),
            ];
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            // The name can still be typed.
            context.Input.Options = [];
        }
    }
}
