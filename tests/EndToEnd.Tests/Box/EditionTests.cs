using System.Net.Http.Json;
using System.Text.Json;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// Whole editions of uvlhub, untouched: checkouts in the folder that <c>UVLHUB_TEST_EDITIONS</c> names, each under the name
/// that its test has for it.
/// </summary>
[Collection(BoxGroup.Name), Trait("Tier", "long"), Trait("Needs", "wheels"), Trait("Needs", "editions")]
public sealed class EditionTests(NetworkInABox box)
{
    private const string Model = "features\n    Chat\n        mandatory\n            Text\n        optional\n            Media\n";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The course's tag, and the course edition of July 2026.</summary>
    [Theory(Timeout = 1_500_000)]
    [InlineData("egc2526-v1.0.0", "app/modules")]
    [InlineData("egcetsii-main", "app/features")]
    public async Task An_edition_of_the_course_comes_up_analyses_an_upload_and_passes_its_own_tests(string edition, string modules) =>
        await WhileUpAsync(edition, modules, async (client, instance) =>
        {
            Assert.Contains("Sample dataset", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
            using (var file = new MultipartFormDataContent { { new StringContent(Model), "file", "chat.uvl" } })
            {
                await PostAsync(client, "/dataset/file/upload", file);
            }

            await PostFormAsync(client, "/dataset/upload", new()
            {
                ["title"] = "Chat",
                ["desc"] = "Made up",
                ["publication_type"] = "none",
                ["feature_models-0-uvl_filename"] = "chat.uvl",
                ["feature_models-0-title"] = "Chat",
                ["feature_models-0-desc"] = "Made up",
                ["feature_models-0-publication_type"] = "none",
            });
            var id = await NewestFileAsync(instance, "file");
            Assert.Contains("Valid Model", await client.GetStringAsync($"/flamapy/check_uvl/{id}", Cancellation), StringComparison.Ordinal);
            Assert.Contains("p cnf 3 ", await client.GetStringAsync($"/flamapy/to_cnf/{id}", Cancellation), StringComparison.Ordinal);
        });

    /// <summary>What it has of others: Redis and a worker, which analyses, webpack, mail. Elasticsearch has no image here.</summary>
    [Fact(Timeout = 1_500_000)]
    public async Task The_laboratorys_edition_comes_up_with_its_worker_which_analyses_an_upload() =>
        await WhileUpAsync("diverso-lab-v2.9", "app/features", async (client, instance) =>
        {
            using var upload = JsonContent.Create(new { title = "Chat", filename = "chat.uvl", uvl_content = Model });
            using var made = JsonDocument.Parse(await PostAsync(client, "/api/v1/datasets/upload", upload));
            Assert.Equal(1, made.RootElement.GetProperty("feature_models_created").GetInt32());
            var id = await NewestFileAsync(instance, "hubfiles");
            await Eventually.IsAsync(
                () => client.GetStringAsync($"/flamapy/to_cnf/{id}", Cancellation),
                text => text.Contains("p cnf 3 ", StringComparison.Ordinal), TimeSpan.FromMinutes(3), "the worker's analysis");
        });

    // What is asked of every edition: it comes up from its own Dockerfile, is seeded, and its own tests pass inside.
    private async Task WhileUpAsync(string edition, string modules, Func<HttpClient, string, Task> visit)
    {
        using var checkout = new SampleCheckout(from: Path.Combine(NetworkInABox.Editions!, edition));
        var instance = Uvlhub.NewInstance();
        await using var process = box.Start(
            $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={instance}",
            $"--Uvlhub:Snapshots:Path={checkout.File("../snapshots")}");
        using var client = new HttpClient { BaseAddress = await process.ReadyAsync(Cancellation) };
        await PostFormAsync(client, "/login", new() { ["email"] = "user1@example.com", ["password"] = "1234" });
        await visit(client, instance);
        var tests = await box.EngineAsync(
            "exec", $"{instance}_rosemary_container", "pytest", "-q", "--ignore-glob=*selenium*", $"{modules}/auth", $"{modules}/flamapy");
        Assert.Matches(@"\d+ passed", tests);
    }

    private Task<string> NewestFileAsync(string instance, string table) => box.EngineAsync(
        "exec", $"{instance}_{InstanceOnEngine.Database}", "sh", "-c",
        $"""MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -uroot uvlhubdb -BNe "SELECT MAX(id) FROM {table} WHERE name = 'chat.uvl'" """);

    private static async Task PostFormAsync(HttpClient client, string path, Dictionary<string, string> fields)
    {
        if (CsrfForm.Token(await client.GetStringAsync(path, Cancellation)) is { } token)
        {
            fields["csrf_token"] = token;
        }

        using var form = new FormUrlEncodedContent(fields);
        await PostAsync(client, path, form);
    }

    private static async Task<string> PostAsync(HttpClient client, string path, HttpContent content)
    {
        using var answer = await client.PostAsync(path, content, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.IsSuccessStatusCode, $"POST {path}: {answer.StatusCode} {text}");
        return text;
    }
}
