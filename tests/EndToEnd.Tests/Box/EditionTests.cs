using System.Net;
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

    [Theory(Timeout = 900_000)]
    [InlineData("egc2526-v1.0.0", "app/modules")]
    [InlineData("egcetsii-main", "app/features")]
    public async Task An_edition_comes_up_from_its_own_Dockerfile_analyses_an_upload_and_passes_its_own_tests(string edition, string modules)
    {
        using var checkout = new SampleCheckout(from: Path.Combine(NetworkInABox.Editions!, edition));
        var instance = Uvlhub.NewInstance();
        await using var process = box.Start(
            $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={instance}", "--Uvlhub:Images=registry",
            $"--Uvlhub:Snapshots:Path={checkout.File("../snapshots")}");
        using var client = new HttpClient { BaseAddress = await process.ReadyAsync(Cancellation) };

        Assert.Contains("Sample dataset", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
        await PostFormAsync(client, "/login", new() { ["email"] = "user1@example.com", ["password"] = "1234" });
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
            ["feature_models-0-publication_type"] = "none",
        });
        var id = await box.EngineAsync(
            "exec", $"{instance}_{InstanceOnEngine.Database}", "sh", "-c",
            """MYSQL_PWD="$MARIADB_ROOT_PASSWORD" mariadb -uroot uvlhubdb -BNe "SELECT MAX(id) FROM file WHERE name = 'chat.uvl'" """);
        Assert.Contains("Valid Model", await client.GetStringAsync($"/flamapy/check_uvl/{id}", Cancellation), StringComparison.Ordinal);
        Assert.Contains("p cnf 3 ", await client.GetStringAsync($"/flamapy/to_cnf/{id}", Cancellation), StringComparison.Ordinal);

        var tests = await box.EngineAsync(
            "exec", $"{instance}_rosemary_container", "pytest", "-q", "--ignore-glob=*selenium*", $"{modules}/auth", $"{modules}/flamapy");
        Assert.Matches(@"\d+ passed", tests);
    }

    private static async Task PostFormAsync(HttpClient client, string path, Dictionary<string, string> fields)
    {
        fields["csrf_token"] = CsrfForm.Token(await client.GetStringAsync(path, Cancellation))!;
        using var form = new FormUrlEncodedContent(fields);
        await PostAsync(client, path, form);
    }

    private static async Task PostAsync(HttpClient client, string path, HttpContent content)
    {
        using var answer = await client.PostAsync(path, content, Cancellation);
        Assert.True(
            answer.StatusCode == HttpStatusCode.OK, $"POST {path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Cancellation)}");
    }
}
