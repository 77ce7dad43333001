using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>The commands that make a database out of an empty one, which load Flask once for all of them.</summary>
public sealed class PreparedPythonTests(MariaDBFixture fixture)
{
    private const string Parents = "/tmp/parents";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("migrate")]
    [InlineData("migrate", "--expect-empty")]
    public async Task Upgrade_and_seed_come_from_one_process_that_ends_with_the_runner(params string[] words)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        await NoteParentsAsync(minihub);

        await minihub.SucceedAsync(words);

        Assert.Equal("004", await minihub.RevisionAsync());
        Assert.NotEqual("0", await minihub.TextAsync("SELECT COUNT(*) FROM user"));
        var parents = (await toolbox.ExecAsync(Cancellation, "cat", Parents)).Output.Split('\n');
        Assert.Equal(2, parents.Length);
        Assert.EndsWith(
            " python -m uvlhub_commands --prepare", Assert.Single(parents.Select(parent => parent.TrimEnd()).Distinct()),
            StringComparison.Ordinal);
        await Eventually.IsAsync(() => PythonsAsync(toolbox), pythons => pythons.Length == 0, TimeSpan.FromSeconds(20));
    }

    [Fact(Timeout = 300_000)]
    public async Task A_killed_runner_leaves_none_of_them()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync();
        minihub.WriteRevision("005", "004", "time.sleep(120)");
        using (var runner = minihub.Start())
        {
            await runner.WaitForAsync("-> 005", Cancellation);
            Assert.Contains("python -m uvlhub_commands --prepare", await PythonsAsync(toolbox), StringComparison.Ordinal);
            runner.Kill();
        }

        await Eventually.IsAsync(() => PythonsAsync(toolbox), pythons => pythons.Length == 0, TimeSpan.FromSeconds(20));
        minihub.DeleteRevision("005");
        await minihub.SucceedAsync();
        Assert.Equal("004", await minihub.RevisionAsync());
    }

    [Fact(Timeout = 300_000)]
    public async Task Where_there_is_no_start_up_folder_each_command_is_a_process_of_its_own()
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await using var toolbox = await minihub.StartToolboxAsync(hasStartupFolder: false);
        await NoteParentsAsync(minihub);

        await minihub.SucceedAsync("migrate", "--expect-empty");

        Assert.Equal("004", await minihub.RevisionAsync());
        Assert.DoesNotContain(
            "uvlhub_commands", (await toolbox.ExecAsync(Cancellation, "cat", Parents)).Output, StringComparison.Ordinal);
    }

    // Every command loads the application, and what prepares them does not.
    private static Task NoteParentsAsync(Minihub minihub) => File.AppendAllTextAsync(
        Path.Combine(minihub.Checkout, "app", "__init__.py"),
        $"""

        with open("/proc/%d/cmdline" % __import__("os").getppid()) as parent, open("{Parents}", "a") as parents:
            print(__import__("os").getppid(), parent.read().replace("\0", " "), file=parents)

        """,
        Cancellation);

    private static async Task<string> PythonsAsync(Toolbox toolbox) =>
        (await toolbox.ExecAsync(Cancellation, "pgrep", "-af", "uvlhub_commands")).Output;
}
