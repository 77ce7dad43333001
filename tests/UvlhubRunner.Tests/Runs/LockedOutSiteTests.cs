using System.Collections.Concurrent;
using System.Net;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Runs;

/// <summary>What visitors read while the migrator has locked the site out of its database.</summary>
public sealed class LockedOutSiteTests(MariaDBFixture fixture)
{
    private const string Page = "<h1>The database is being put in order</h1>";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Migration, "visitors come while the database is put back, restored or reset")]
    [Theory(Timeout = 300_000)]
    // As in Production, and as in Development.
    [InlineData]
    [InlineData("flask", "run", "--host=0.0.0.0", "--port=5000", "--reload", "--debug")]
    public async Task Visitors_of_a_site_that_is_locked_out_get_503_and_are_told(params string[] server)
    {
        await using var minihub = await Minihub.CreateAsync(fixture);
        await minihub.StartToolboxAsync();
        await minihub.SucceedAsync();
        await KillTests.FillAsync(minihub);
        var backup = (await minihub.SucceedAsync("backup")).Answer.Trim();
        await AsInUvlhubAsync(minihub);
        var site = await minihub.StartSiteAsync(server);
        using var client = new HttpClient { BaseAddress = site, Timeout = TimeSpan.FromSeconds(20) };
        await UpAsync(client);

        var restore = await AskWhileAsync(client, () => minihub.SucceedAsync("restore", backup));
        await UpAsync(client);
        var reset = await AskWhileAsync(client, () => minihub.SucceedAsync("reset", "--yes"));
        await UpAsync(client);
        minihub.WriteRevision("005", "004", "op.execute('ALTER TABLE feature_model DROP COLUMN title')", "raise ValueError('no')");
        var undo = await AskWhileAsync(client, () => minihub.RunAsync());
        minihub.DeleteRevision("005");
        await UpAsync(client);

        foreach (var (what, answers) in (IEnumerable<(string, IReadOnlyCollection<Answer>)>)[
            ("restore", restore), ("reset", reset), ("undo", undo)])
        {
            Proof.Happens($"503 and no other failure, in the {what}", () =>
            {
                Assert.Contains(answers, answer => answer.Status == HttpStatusCode.ServiceUnavailable);
                Assert.All(answers, answer => Assert.True(
                    answer.Status == HttpStatusCode.OK
                    || (answer.Status == HttpStatusCode.ServiceUnavailable && answer.Text.Contains(Page, StringComparison.Ordinal)),
                    $"{what}: {(int)answer.Status}\n{answer.Text}"));
            });
        }

        Proof.Sentence("The database is being put in order. What you have just sent may not have been saved. This page asks again every few seconds.");
    }

    // Like most applications, uvlhub itself knows nothing of a database that is away: the sample does.
    private static async Task AsInUvlhubAsync(Minihub minihub)
    {
        var file = Path.Combine(minihub.Checkout, "app", "__init__.py");
        var text = await File.ReadAllTextAsync(file, Cancellation);
        const string Handler = "@app.errorhandler(OperationalError)";
        Assert.Contains(Handler, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text.Replace(Handler, "", StringComparison.Ordinal), Cancellation);
    }

    private static Task UpAsync(HttpClient client) => Eventually.TrueAsync(
        async () => (await client.GetAsync("/", Cancellation)).StatusCode == HttpStatusCode.OK, TimeSpan.FromSeconds(60), "the site");

    private static async Task<IReadOnlyCollection<Answer>> AskWhileAsync(HttpClient client, Func<Task> work)
    {
        var answers = new ConcurrentQueue<Answer>();
        var working = work();
        while (!working.IsCompleted)
        {
            using var answer = await client.GetAsync("/", Cancellation);
            answers.Enqueue(new Answer(answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation)));
            await Task.Delay(30, Cancellation);
        }

        await working;
        return answers;
    }

    private sealed record Answer(HttpStatusCode Status, string Text);
}
