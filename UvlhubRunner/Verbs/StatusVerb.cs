using System.Text.Json;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Journal;
using UvlhubAspire.Runner.Migration;
using UvlhubAspire.Runner.Settings;

namespace UvlhubAspire.Runner.Verbs;

/// <summary><c>status</c>: how things are, for people and, as JSON, for scripts.</summary>
internal sealed class StatusVerb(
    RunnerSettings settings, UvlhubDatabase database, MigrationJournal journal, Refusals refusals, SnapshotKeeper snapshots,
    FlaskCommands flask)
{
    /// <summary>Prints the status.</summary>
    /// <returns><see cref="ExitCode.Done"/>, or <see cref="ExitCode.Refused"/> if <c>migrate</c> would refuse.</returns>
    public async Task<ExitCode> RunAsync(TextWriter output, bool asJson, CancellationToken cancellationToken)
    {
        var situation = await MigrationStatus.ReadAsync(settings, database, journal, refusals, cancellationToken);
        await output.WriteLineAsync(asJson ? Json(situation) : Text(situation));
        return situation.Refusal is null ? ExitCode.Done : ExitCode.Refused;
    }

    private string? SeedCommand => flask.Seeds ? string.Join(' ', settings.Checkout.SeedCommand) : null;

    private string Text(MigrationStatus situation)
    {
        var list = snapshots.List();
        var steps = StateText.Steps(situation.State, SeedCommand);
        List<string> lines =
        [
            $"Database   {database.Name} at {settings.Address} (MariaDB {situation.ServerVersion}), {situation.Facts.Tables.Count} "
            + $"tables, revision {Revisions(situation.Facts.Revisions)}",
            $"Checkout   {settings.Checkout.Path}, {situation.History.Graph?.Revisions.Count.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "no usable"} revisions, head {situation.History.Graph?.Head.Id ?? "none"}",
            $"State      {situation.State.Name}",
            "",
            StateText.Describe(situation.State, database.Name),
        ];

        if (situation.LockHolder is { } holder)
        {
            lines.Add($"A migrator is at work right now ({holder}); this may change at any moment.");
        }

        if (situation.Refusal is { } refusal)
        {
            lines.AddRange(["'migrate' refuses here.", refusal.Remedy]);
        }
        else if (steps.Count > 0)
        {
            lines.Add($"'{RunnerCommand.Line(settings, "migrate")}' will:");
            lines.AddRange(steps.Select((step, index) => $"  {index + 1}. {step}"));
        }
        else
        {
            lines.Add("Nothing is to do.");
        }

        lines.AddRange(["", list is [var newest, ..]
            ? $"Snapshots  {list.Count} in {snapshots.Folder}, the newest {newest.Name} (revision {Revisions(newest.Revisions ?? [])})"
            : $"Snapshots  none in {snapshots.Folder}"]);
        lines.Add(situation.Runs.Count == 0 ? "Runs       none" : "Runs       (the newest first)");
        lines.AddRange(situation.Runs.Select(Line));
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

    private static string Revisions(IReadOnlyList<string> revisions) => revisions.Count == 0 ? "none" : string.Join(", ", revisions);

    private string Json(MigrationStatus situation) => JsonSerializer.Serialize(
        new StatusAnswer
        {
            State = situation.State.Name,
            Explanation = StateText.Describe(situation.State, database.Name),
            WouldRefuse = situation.Refusal is not null,
            Remedy = situation.Refusal?.Remedy,
            Steps = StateText.Steps(situation.State, SeedCommand),
            Database = database.Name,
            Server = settings.Address,
            ServerVersion = situation.ServerVersion,
            Tables = situation.Facts.Tables,
            Current = situation.Facts.Revisions,
            Checkout = settings.Checkout.Path,
            Head = situation.History.Graph?.Head.Id,
            Pending = situation.State switch
            {
                DatabaseState.Empty empty => [.. empty.Pending.Select(revision => revision.Id)],
                DatabaseState.Behind behind => [.. behind.Pending.Select(revision => revision.Id)],
                _ => [],
            },
            LockHolder = situation.LockHolder,
            SnapshotFolder = snapshots.Folder,
            Snapshots = [.. snapshots.List().Select(StatusSnapshot.Of)],
            Runs = [.. situation.Runs.Select(StatusRun.Of)],
        },
        StatusJson.Readable.StatusAnswer);
}
