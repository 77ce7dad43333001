using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What a start says of what the network does not deliver.</summary>
[Collection(BoxGroup.Name), Trait("Needs", "wheels")]
public sealed class UndeliveredTests(NetworkInABox box)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("FROM python:9.9-slim\n", "python:9.9-slim: not found")]
    [InlineData("FROM limited:1\n", "limited/manifests/1: 429 Too Many Requests")]
    public async Task A_base_image_that_cannot_be_pulled_is_named_with_the_registrys_reason(string dockerfile, string reason)
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(checkout.File("docker/images/Dockerfile.dev"), dockerfile, Cancellation);
        await SaidAsync(checkout, "rosemary cannot start. ", reason);
    }

    [Theory(Timeout = 300_000)]
    [InlineData("no-such-package==1.0", "No matching distribution found for no-such-package==1.0")]
    // The index has it for Python 3.12 alone.
    [InlineData("zstandard==0.22.0", "No matching distribution found for zstandard==0.22.0")]
    public async Task A_requirement_that_cannot_be_had_is_named_in_pips_own_words(string requirement, string reason)
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(checkout.File("requirements.txt"), $"Flask==3.1.1\n{requirement}\n", Cancellation);
        await File.WriteAllTextAsync(
            checkout.File("docker/images/Dockerfile.dev"),
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n",
            Cancellation);
        await SaidAsync(checkout, "rosemary cannot start. ", reason);
    }

    private async Task SaidAsync(SampleCheckout checkout, params string[] messages)
    {
        await using var host = box.Start(
            $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={Uvlhub.NewInstance()}", "--Uvlhub:Images=registry",
            $"--Uvlhub:Snapshots:Path={checkout.File("../snapshots")}");
        foreach (var message in messages)
        {
            await host.PrintedAsync(message, Cancellation);
        }
    }
}
