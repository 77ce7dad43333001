using System.Text.Json;
using System.Text.Json.Serialization;
using UvlhubAspire.Runner.Flask;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>Has Alembic read revision files, where flask runs: it loads them, as <c>flask db upgrade</c> does.</summary>
internal sealed class AlembicReader(RunnerSettings settings, Toolbox toolbox)
{
    private readonly RevisionScript _script = new(settings, toolbox, "read_revisions.py");

    /// <returns>The revisions, in the order of the files.</returns>
    /// <exception cref="MigrationRefusedException">One of them is none; the message names it, with the line and the reason.</exception>
    /// <exception cref="MigrationFailedException">Flask's container does not run.</exception>
    /// <exception cref="FlaskException">Alembic could not be asked.</exception>
    public async Task<IReadOnlyList<Revision>> ReadAsync(IReadOnlyList<string> files, CancellationToken cancellationToken) =>
        [.. (await AskAsync(files, cancellationToken)).Zip(files, (answer, file) => answer.Revision is { } revision
            ? revision with { File = file }
            : throw RevisionReader.Broken(file, answer.Line, answer.Reason!.TrimEnd('.')))];

    /// <summary>What Alembic says of each file.</summary>
    public async Task<IReadOnlyList<AlembicAnswer>> AskAsync(IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        await toolbox.WaitAsync(cancellationToken);
        string answer;
        try
        {
            answer = await _script.RunAsync(files, "what Alembic reads in", cancellationToken);
        }
        catch (FlaskException exception)
        {
            throw new FlaskException(
                $"{files[0]} is not as Alembic's template writes revisions, so Alembic has to read it, and cannot: {exception.Message}",
                exception.IsTransient);
        }

        return JsonSerializer.Deserialize(answer, AlembicJson.Default.IReadOnlyListAlembicAnswer)!;
    }
}

/// <summary>What Alembic says of a file: the revision, or what is wrong with it.</summary>
internal sealed record AlembicAnswer(Revision? Revision, int? Line, string? Reason);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<AlembicAnswer>))]
internal sealed partial class AlembicJson : JsonSerializerContext;
