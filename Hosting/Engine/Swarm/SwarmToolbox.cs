using System.Text.Json;
using System.Text.Json.Serialization;

namespace UvlhubAspire.Engine;

/// <summary>The stack's toolbox, in which UvlhubRunner looks after the database: on the node that keeps the data.</summary>
/// <param name="stack">The stack.</param>
public sealed class SwarmToolbox(SwarmStack stack)
{
    /// <summary>Its service.</summary>
    public const string Service = "rosemary";


    // Its snapshot is read and compared, and so is what is there now.
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(6);

    /// <summary>Runs a verb of UvlhubRunner.</summary>
    /// <returns>What it printed.</returns>
    /// <exception cref="UserErrorException">It failed, or the toolbox runs on another engine; the message says which.</exception>
    public async Task<string> RunAsync(CancellationToken cancellationToken, params string[] words)
    {
        var answer = await ExecuteAsync(words, cancellationToken);
        return answer.Succeeded ? answer.Output : throw Failed(words, answer);
    }

    /// <summary>How the database stands.</summary>
    /// <exception cref="UserErrorException">Nobody can tell; the message says why.</exception>
    public async Task<SchemaStatus> StatusAsync(CancellationToken cancellationToken)
    {
        string[] words = ["status", "--json"];
        var answer = await ExecuteAsync(words, cancellationToken);
        // It also tells of a database that would not be migrated, and says so by its exit code.
        return answer.Output.StartsWith('{')
            ? JsonSerializer.Deserialize(answer.Output, SwarmJson.Default.SchemaStatus)!
            : throw Failed(words, answer);
    }

    private async Task<EngineResult> ExecuteAsync(string[] words, CancellationToken cancellationToken)
    {
        var containers = await stack.AskAsync(
            cancellationToken, "ps", "--quiet", "--filter", $"label=com.docker.swarm.service.name={stack.FullName(Service)}");
        if (containers.Split('\n') is not [{ Length: > 0 } container, ..])
        {
            var node = await stack.AskAsync(
                cancellationToken, "service", "ps", "--filter", "desired-state=running", "--format", "{{.Node}}", stack.FullName(Service));
            throw new UserErrorException(
                $"{stack.FullName(Service)} does not run on this engine, and the database is looked after from there: "
                + (node.Length > 0 ? $"ask the engine of {node}" : $"'docker service ps {stack.FullName(Service)}' says why"));
        }

        return await stack.Engine.RunAsync(s_longest, cancellationToken, ["exec", container, "UvlhubRunner", .. words]);
    }

    private static UserErrorException Failed(string[] words, EngineResult answer) =>
        new($"UvlhubRunner {string.Join(' ', words)}: {string.Join(Environment.NewLine, (string[])[answer.Error, answer.Output]).Trim()}");
}

/// <summary>What <c>UvlhubRunner status --json</c> tells, as far as a deployment asks.</summary>
/// <param name="Current">The database's revisions.</param>
/// <param name="Runs">The latest runs, the newest first.</param>
/// <param name="Snapshots">The snapshots that there are.</param>
public sealed record SchemaStatus(
    IReadOnlyList<string> Current, IReadOnlyList<SchemaRun> Runs, IReadOnlyList<SchemaSnapshot> Snapshots)
{
    /// <summary>The revision, or several with commas between them.</summary>
    [JsonIgnore]
    public string Revision => string.Join(", ", Current);

    /// <summary>The snapshot that the last migration away from a revision has made first, since a moment.</summary>
    /// <param name="revision">What the schema was.</param>
    /// <param name="since">The moment.</param>
    public SchemaSnapshot? Before(string revision, DateTimeOffset since)
    {
        var run = Runs.FirstOrDefault(run =>
            run is { Verb: "migrate", Result: "succeeded", Snapshot: not null } && run.From == revision && run.Started >= since);
        return Snapshots.FirstOrDefault(snapshot => snapshot.Name == run?.Snapshot);
    }
}

/// <summary>One run of the migrator.</summary>
/// <param name="Verb">The verb.</param>
/// <param name="From">The revision before.</param>
/// <param name="Started">When it began.</param>
/// <param name="Result">How it ended; <see langword="null"/> while it has not.</param>
/// <param name="Snapshot">What it kept before; <see langword="null"/> for nothing.</param>
public sealed record SchemaRun(string Verb, string From, DateTimeOffset Started, string? Result, string? Snapshot);

/// <summary>A snapshot of the database.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">How many rows it has.</param>
public sealed record SchemaSnapshot(string Name, long Rows);
