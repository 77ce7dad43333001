using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.AppHost.Production;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Deployment;

/// <summary>New code by git, and back again.</summary>
public sealed class GitVersionsTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Origin => Path.Combine(_folder.Path, "origin");

    private string Checkout => Path.Combine(_folder.Path, "checkout");

    public async ValueTask InitializeAsync()
    {
        await GitAsync(_folder.Path, "init", "--quiet", "--initial-branch=main", Origin);
        await CommitAsync(Origin, "page.html", "first");
        await GitAsync(_folder.Path, "clone", "--quiet", Origin, Checkout);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact(Timeout = 60_000)]
    public async Task New_commits_come_and_go_back_when_they_do_not_serve()
    {
        await CommitAsync(Origin, "page.html", "second");
        _folder.Write("checkout/.env", "not committed");
        var versions = new GitVersions(Checkout);
        var change = await versions.TakeAsync(Cancellation);
        Assert.True(change.IsNew);
        Assert.Equal("second", Page());

        Assert.Null(await versions.PutBackAsync(change, Cancellation));
        Assert.Equal("first", Page());
        Assert.True(File.Exists(Path.Combine(Checkout, ".env")));
        Assert.True((await versions.TakeAsync(Cancellation)).IsNew);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_edit_that_is_made_while_the_new_commits_are_tried_is_not_lost_when_they_go_back()
    {
        await CommitAsync(Origin, "notes.txt", "first");
        var versions = new GitVersions(Checkout);
        await versions.TakeAsync(Cancellation);
        await CommitAsync(Origin, "page.html", "second");
        var change = await versions.TakeAsync(Cancellation);

        // What the new commits touch stops it; what they do not touch goes along.
        _folder.Write("checkout/page.html", "edited here");
        Assert.Contains("page.html", await versions.PutBackAsync(change, Cancellation), StringComparison.Ordinal);
        Assert.Equal("edited here", Page());

        _folder.Write("checkout/page.html", "second");
        _folder.Write("checkout/notes.txt", "edited here");
        Assert.Null(await versions.PutBackAsync(change, Cancellation));
        Assert.Equal("first", Page());
        Assert.Equal("edited here", File.ReadAllText(Path.Combine(Checkout, "notes.txt")));
    }

    [Fact(Timeout = 60_000)]
    public async Task Nothing_new_changes_nothing() =>
        Assert.False((await new GitVersions(Checkout).TakeAsync(Cancellation)).IsNew);

    [Fault(FaultArea.Checkout, "new code cannot be pulled over what was changed here")]
    [Fact(Timeout = 60_000)]
    public async Task A_commit_or_an_edit_of_this_machine_is_never_lost()
    {
        await CommitAsync(Origin, "page.html", "second");
        _folder.Write("checkout/page.html", "edited here");
        var edited = await Assert.ThrowsAsync<DeploymentException>(() => new GitVersions(Checkout).TakeAsync(Cancellation));
        Proof.Data("an edit is not lost", "edited here", Page());

        await CommitAsync(Checkout, "page.html", "committed here");
        var commit = await HeadAsync();
        var committed = await Assert.ThrowsAsync<DeploymentException>(() => new GitVersions(Checkout).TakeAsync(Cancellation));
        Proof.Data("a commit is not lost", (commit, "committed here"), (await HeadAsync(), Page()));

        Proof.Happens("the deployment ends with git's own reason", () =>
        {
            Assert.Contains(
                "Your local changes to the following files would be overwritten by merge", edited.Message, StringComparison.Ordinal);
            Assert.Contains("Not possible to fast-forward", committed.Message, StringComparison.Ordinal);
        });
        Proof.Reads($"'git pull --ff-only' in {Checkout} failed", edited.Message);
    }

    private async Task<string> HeadAsync() =>
        (
            await Cli.Wrap("git").WithArguments(["rev-parse", "HEAD"]).WithWorkingDirectory(Checkout)
            .ExecuteBufferedAsync(Cancellation)).StandardOutput;

    private string Page() => File.ReadAllText(Path.Combine(Checkout, "page.html"));

    private static async Task CommitAsync(string repository, string file, string text)
    {
        await File.WriteAllTextAsync(Path.Combine(repository, file), text, Cancellation);
        await GitAsync(repository, "add", file);
        await GitAsync(repository, "-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message", text);
    }

    private static Task GitAsync(string folder, params string[] words) =>
        Cli.Wrap("git").WithArguments(words).WithWorkingDirectory(folder).ExecuteBufferedAsync(Cancellation);
}
