using System.Text.Json;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Revisions;

namespace UvlhubAspire.Runner.Verbs;

/// <summary><c>status</c>: how things are, for people and, as JSON, for scripts.</summary>
internal sealed class StatusVerb(RunnerSettings settings, StatusReader reader, SnapshotKeeper snapshots)
{
    private const int ShownRuns = 10;

    /// <returns><see cref="ExitCode.Done"/>, or <see cref="ExitCode.Refused"/> if <c>migrate</c> would refuse.</returns>
    public async Task<ExitCode> RunAsync(TextWriter output, bool asJson, CancellationToken cancellationToken)
    {
        var status = await reader.ReadAsync(cancellationToken);
        await output.WriteLineAsync(asJson ? Json(status) : Text(status));
        return status.Refusal is null ? ExitCode.Done : ExitCode.Refused;
    }

    private string Text(MigrationStatus status)
    {
        var list = snapshots.List();
        var graph = status.History.Graph;
        List<string> lines =
        [
            $"Database   {settings.Database} at {settings.Address} (MariaDB {status.ServerVersion}), {status.Facts.Tables.Count} "
            + $"tables, revision {Revision.List(status.Facts.Revisions)}",
            $"Checkout   {settings.Checkout.Path}, {(graph is null ? "no usable" : $"{graph.Revisions.Count}")} revisions, head "
            + $"{graph?.Head.Id ?? "none"}",
            $"State      {status.State.Name}",
            "",
            StateText.Describe(status.State, settings.Database),
        ];

        if (status.LockHolder is { } holder)
        {
            lines.Add($"A migrator is at work right now ({holder}); this may change at any moment.");
        }

        if (status.Refusal is { } refusal)
        {
            lines.AddRange(["'migrate' refuses here.", refusal.Remedy]);
        }
        else if (status.Steps.Count > 0)
        {
            lines.Add($"'{RunnerCommand.Line(settings, "migrate")}' will:");
            lines.AddRange(status.Steps.Select((step, index) => $"  {index + 1}. {step}"));
        }
        else
        {
            lines.Add("Nothing is to do.");
        }

        lines.AddRange(["", list is [var newest, ..]
            ? $"Snapshots  {list.Count} in {snapshots.Folder}, the newest {newest.Name} (revision {Revision.List(newest.Revisions)})"
            : $"Snapshots  none in {snapshots.Folder}"]);
        lines.Add(status.Runs.Count == 0 ? "Runs       none" : "Runs       (the newest first)");
        lines.AddRange(status.Runs.Take(ShownRuns).Select(Line));
        return string.Join(Environment.NewLine, lines);
    }

    private static string Line(MigrationRun run)
    {
        var duration = run.Duration is { } took ? $"{took.TotalSeconds:0.0} s" : "open";
        var result = run.Result ?? (run.Phase == RunPhase.SeedDue ? "seeding is due" : "not closed");
        var cause = run.Cause is null ? "" : $": {run.Cause.Split('\n')[0]}";
        return $"  {run.Started:yyyy-MM-dd HH:mm:ss}Z  {run.Verb,-8} {run.Way}  {duration}  "
            + $"{result}{(run.Snapshot is null ? "" : $"  snapshot {run.Snapshot}")}{cause}";
    }

    private string Json(MigrationStatus status) => JsonSerializer.Serialize(
        new StatusAnswer(
            State: status.State.Name,
            Explanation: StateText.Describe(status.State, settings.Database),
            WouldRefuse: status.Refusal is not null,
            Remedy: status.Refusal?.Remedy,
            Steps: status.Steps,
            Database: settings.Database,
            Server: settings.Address,
            ServerVersion: status.ServerVersion,
            Tables: status.Facts.Tables,
            Current: status.Facts.Revisions,
            Checkout: settings.Checkout.Path,
            Head: status.History.Graph?.Head.Id,
            Pending: status.State switch
            {
                DatabaseState.Empty empty => [.. empty.Pending.Select(revision => revision.Id)],
                DatabaseState.Behind behind => [.. behind.Pending.Select(revision => revision.Id)],
                _ => [],
            },
            LockHolder: status.LockHolder,
            SnapshotFolder: snapshots.Folder,
            Snapshots: [.. snapshots.List().Select(StatusSnapshot.Of)],
            Runs: [.. status.Runs.Select(StatusRun.Of)]),
        StatusJson.Readable.StatusAnswer);
}
