using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Images;

/// <summary>Git is asked about a checkout whose own configuration would have it run programs on this machine.</summary>
public sealed class CheckoutGitTests : IAsyncLifetime
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private readonly TemporaryFolder _checkout = new();
    private readonly TemporaryFolder _beside = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Witness => Path.Combine(_beside.Path, "witness");

    public async ValueTask InitializeAsync()
    {
        Edition.Load(Edition.Course).WriteCheckout(_checkout);
        _checkout.Write("requirements.txt", "flask\n");
        _checkout.Write(".gitattributes", "* filter=theirs\n");
        await GitAsync("init", "--quiet", "--initial-branch=main");
        await GitAsync("add", ".");
        await GitAsync("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message=first");
        await GitAsync("tag", "v1.2.3");
    }

    public ValueTask DisposeAsync()
    {
        _checkout.Dispose();
        _beside.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fault(FaultArea.Checkout, "the checkout's git configuration names programs to run")]
    [Theory(Timeout = 60_000)]
    [InlineData("core.fsmonitor")]
    [InlineData("filter.theirs.clean")]
    [InlineData("filter.theirs.process")]
    public async Task None_of_them_runs_when_the_version_is_asked(string setting)
    {
        await GitAsync("config", setting, $"touch '{Witness}'; cat");
        // As long as before, so that git has to look into the file.
        _checkout.Write("requirements.txt", "flesk\n");
        if (setting is "core.fsmonitor" or "filter.theirs.clean")
        {
            await Cli.Wrap("git").WithArguments(["-C", _checkout.Path, "describe", "--always", "--dirty"])
                .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync(Cancellation);
            Assert.True(File.Exists(Witness), "git itself would not run it, so this proves nothing");
            File.Delete(Witness);
        }

        var version = await CheckoutVersion.ReadAsync(UvlhubCheckout.Read(_checkout.Path), new UvlhubOptions(), Cancellation);

        Assert.Equal("v1.2.3-dirty", version);
        Proof.Happens("the version is read, and nothing of it runs", () => Assert.False(File.Exists(Witness)));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_folder_of_a_repository_and_a_worktree_are_asked_like_a_clone()
    {
        var worktree = Path.Combine(_beside.Path, "worktree");
        await GitAsync("worktree", "add", "--quiet", worktree);

        string[] words = ["describe", "--tags", "--always"];
        Assert.Equal("v1.2.3", await CheckoutGit.AskAsync(worktree, s_limit, Cancellation, words));
        Assert.Equal("v1.2.3", await CheckoutGit.AskAsync(Path.Combine(_checkout.Path, "app"), s_limit, Cancellation, words));
        Assert.NotEqual("", await CheckoutGit.AskAsync(_checkout.Path, s_limit, Cancellation, "log", "-1", "--format=%cI", "--", "requirements.txt"));
        Assert.Null(await CheckoutGit.AskAsync(_beside.Path, s_limit, Cancellation, words));
    }

    private Task GitAsync(params string[] words) => Cli.Wrap("git").WithArguments(["-C", _checkout.Path, .. words]).ExecuteBufferedAsync(Cancellation);
}
