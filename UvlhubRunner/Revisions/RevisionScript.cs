using UvlhubAspire.Runner.Flask;

namespace UvlhubAspire.Runner.Revisions;

/// <summary>A script of the program's own that reads revision files where flask runs: it gets their folder and their names.</summary>
/// <param name="name">The script's name; it is in the program.</param>
internal sealed class RevisionScript(RunnerSettings settings, Toolbox toolbox, string name)
{
    private readonly Lazy<string> _script = new(() =>
    {
        using var script = new StreamReader(typeof(RevisionScript).Assembly.GetManifestResourceStream(name)!);
        return script.ReadToEnd();
    });

    /// <summary>What it prints.</summary>
    /// <param name="does">What it does, for people; the files come behind it.</param>
    /// <exception cref="FlaskException">It failed, or Flask's container does not run.</exception>
    public async Task<string> RunAsync(IReadOnlyList<string> files, string does, CancellationToken cancellationToken)
    {
        var names = files.Select(file => Path.GetFileName(file)).ToList();
        var folder = Path.GetRelativePath(settings.Checkout.Path, settings.Checkout.RevisionsDirectory);
        var answer = "";
        await toolbox.RunAsync(
            ["python", "-B", "-c", _script.Value, folder, .. names],
            cancellationToken,
            answer: line => answer += line,
            shownAs: $"python: {does} {string.Join(", ", names.Take(5))}");
        return answer;
    }
}
