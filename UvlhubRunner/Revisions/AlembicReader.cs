using System.Text.Json;
using System.Text.Json.Serialization;
using UvlhubAspire.Runner.Flask;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>Has Alembic read revision files, where flask runs: it loads them, as <c>flask db upgrade</c> does.</summary>
internal sealed class AlembicReader(RunnerSettings settings, Toolbox toolbox)
{
    // read_revisions.py, which is in the program.
    private static readonly Lazy<string> s_script = new(() =>
    {
        using var script = new StreamReader(typeof(AlembicReader).Assembly.GetManifestResourceStream("read_revisions.py")!);
        return script.ReadToEnd();
    });

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
        var names = files.Select(file => Path.GetFileName(file)).ToList();
        await toolbox.WaitAsync(cancellationToken);
        var answer = "";
        try
        {
            var folder = Path.GetRelativePath(settings.Checkout.Path, settings.Checkout.RevisionsDirectory);
            await toolbox.RunAsync(
                ["python", "-B", "-c", s_script.Value, folder, .. names],
                cancellationToken,
                answer: line => answer += line,
                shownAs: $"python: what Alembic reads in {string.Join(", ", names.Take(5))}");
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
