using CliWrap;
using CliWrap.Buffered;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The repository that a checkout was cloned from, and to which its team pushes.</summary>
internal sealed class OriginRepository : IDisposable
{
    private const string Branch = "main";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-origin-");
    private readonly string _checkout;

    private OriginRepository(string checkout) => _checkout = checkout;

    private string Team => Path.Combine(_folder.FullName, "team");

    /// <summary>Makes a checkout a clone of it.</summary>
    public static async Task<OriginRepository> OfAsync(SampleCheckout checkout, CancellationToken cancellationToken)
    {
        var origin = new OriginRepository(checkout.Path);
        var bare = Path.Combine(origin._folder.FullName, "origin.git");
        await GitAsync(checkout.Path, cancellationToken, "init", "--quiet", "--initial-branch", Branch);
        await CommitAsync(checkout.Path, "Everything", cancellationToken);
        await GitAsync(checkout.Path, cancellationToken, "clone", "--quiet", "--bare", checkout.Path, bare);
        await GitAsync(checkout.Path, cancellationToken, "clone", "--quiet", bare, origin.Team);
        await GitAsync(checkout.Path, cancellationToken, "remote", "add", "origin", bare);
        await GitAsync(checkout.Path, cancellationToken, "fetch", "--quiet", "origin");
        await GitAsync(checkout.Path, cancellationToken, "branch", "--quiet", "--set-upstream-to", $"origin/{Branch}");
        return origin;
    }

    /// <summary>Pushes a commit in which a file reads differently.</summary>
    /// <param name="path">The file, which may be new.</param>
    /// <param name="edit">Makes the new text of the old one, which is empty for a new file.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task PushAsync(string path, Func<string, string> edit, CancellationToken cancellationToken)
    {
        var file = Path.Combine(Team, path);
        var text = File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : "";
        await File.WriteAllTextAsync(file, edit(text), cancellationToken);
        await CommitAsync(Team, $"Change {path}", cancellationToken);
        await GitAsync(Team, cancellationToken, "push", "--quiet");
    }

    /// <summary>Takes the newest commit back, by another one.</summary>
    public async Task RevertAsync(CancellationToken cancellationToken)
    {
        await GitAsync(Team, cancellationToken, "revert", "--no-edit", "HEAD");
        await GitAsync(Team, cancellationToken, "push", "--quiet");
    }

    /// <summary>The commit that the checkout is at, and what is not committed there.</summary>
    public async Task<string> CheckedOutAsync(CancellationToken cancellationToken) =>
        await GitAsync(_checkout, cancellationToken, "rev-parse", "HEAD")
        + await GitAsync(_checkout, cancellationToken, "status", "--porcelain");

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task CommitAsync(string folder, string message, CancellationToken cancellationToken)
    {
        await GitAsync(folder, cancellationToken, "add", "--all");
        await GitAsync(folder, cancellationToken, "commit", "--quiet", "--message", message);
    }

    private static async Task<string> GitAsync(string folder, CancellationToken cancellationToken, params string[] words) =>
        (await Cli.Wrap("git").WithArguments(["-c", "user.name=team", "-c", "user.email=team@localhost", "-C", folder, .. words])
            .ExecuteBufferedAsync(cancellationToken)).StandardOutput.Trim();
}
