using System.Text.RegularExpressions;
using UvlhubAspire.Runner.Database;
using UvlhubAspire.Runner.Flask;
using UvlhubAspire.Runner.Migration;

namespace UvlhubAspire.Runner.Verbs;

/// <summary><c>plan</c>: what <c>migrate</c> would run, with <c>--sql</c> as the statements.</summary>
internal sealed partial class PlanVerb(
    UvlhubDatabase database, StatusReader reader, Toolbox toolbox, RevisionLint lint, Rehearsal rehearsal, JournaledChanges changes,
    Migrator migrator)
{
    /// <exception cref="MigrationRefusedException"><c>migrate</c> would refuse, for this reason.</exception>
    /// <param name="asSql">Whether the statements are printed instead of the steps.</param>
    /// <param name="rehearses">Whether the revisions run on a copy.</param>
    public async Task<ExitCode> RunAsync(TextWriter output, bool asSql, bool rehearses, CancellationToken cancellationToken)
    {
        var status = await reader.ReadAsync(cancellationToken);
        if (status.Refusal is { } refusal)
        {
            throw refusal;
        }

        if (asSql)
        {
            await PrintSqlAsync(output, status.State, cancellationToken);
            return ExitCode.Done;
        }

        await output.WriteLineAsync(StateText.Describe(status.State, database.Name));
        await output.WriteLineAsync(status.Steps.Count == 0 ? "Nothing is to do." : "'migrate' will:");
        foreach (var (index, step) in status.Steps.Index())
        {
            await output.WriteLineAsync($"  {index + 1}. {step}");
        }

        if (status.State is DatabaseState.Behind behind)
        {
            await LookAsync(output, behind, cancellationToken);
            if (rehearses && rehearsal.Impossible is { } why)
            {
                await output.WriteLineAsync($"A rehearsal is not possible: {why}.");
            }
            else if (rehearses)
            {
                await output.WriteLineAsync("On a copy, with rows counted before and after each revision:");
                await changes.RunExclusivelyAsync(
                    (root, _, token) => migrator.RehearseAsync(
                        root, status.History.Graph!, behind, line => output.WriteLineAsync($"  {line}"), token),
                    cancellationToken,
                    DeadRun.StaysOpen);
                await output.WriteLineAsync("The rehearsal on a copy passed; its log says how long it took.");
            }
        }

        return ExitCode.Done;
    }

    private async Task LookAsync(TextWriter output, DatabaseState.Behind state, CancellationToken cancellationToken)
    {
        await using var root = await database.ConnectAsRootAsync(cancellationToken);
        var (findings, _) = await lint.CheckAsync(root, state.Pending, cancellationToken);
        foreach (var finding in findings)
        {
            await output.WriteLineAsync($"  ! {finding}");
        }
    }

    private async Task PrintSqlAsync(TextWriter output, DatabaseState state, CancellationToken cancellationToken)
    {
        string[] range = state switch
        {
            DatabaseState.Empty => ["head"],
            DatabaseState.Behind { Current: [var current] } => [$"{current}:head"],
            DatabaseState.Behind { Current: var current } => throw new MigrationRefusedException(
                state.Name,
                $"{database.Name} is at several revisions at once ({string.Join(", ", current)}), and Alembic writes SQL from one "
                + "revision only.",
                "'plan' without --sql lists the revisions that would run."),
            DatabaseState.AtHead or DatabaseState.SeedDue => [],
            _ => throw new MigrationRefusedException(
                state.Name,
                $"In the state '{state.Name}' no SQL can be said beforehand. {StateText.Describe(state, database.Name)}",
                "'plan' without --sql lists the steps."),
        };
        if (range is [])
        {
            await output.WriteLineAsync("-- nothing is to do");
            return;
        }

        await toolbox.WaitAsync(cancellationToken);
        var isSql = false;
        List<string> lines = [];
        await toolbox.RunAsync(
            ["flask", "db", "upgrade", "--sql", .. range],
            cancellationToken,
            answer: line =>
            {
                // A checkout may print something of its own before Alembic does; it must not be taken for SQL.
                isSql = isSql || FirstSql().IsMatch(line);
                lines.Add(isSql || line.Length == 0 ? line : $"-- {line}");
            });
        foreach (var line in lines)
        {
            await output.WriteLineAsync(line);
        }
    }

    [GeneratedRegex(@"^(--|[A-Z]{4,} [A-Z`(])")]
    private static partial Regex FirstSql();
}
