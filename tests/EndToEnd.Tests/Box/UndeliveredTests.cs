using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What a start says of what the network does not deliver.</summary>
[Collection(BoxGroup.Name), Trait("Needs", "wheels")]
public sealed class UndeliveredTests(NetworkInABox box)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 300_000)]
    [InlineData("FROM python:9.9-slim\n", "python:9.9-slim", "look at the name")]
    [InlineData("FROM limited:1\n", "You have reached your unauthenticated pull rate limit.", "'docker login'")]
    public async Task A_base_image_that_cannot_be_pulled_is_named_with_the_registrys_reason_and_what_to_do(
        string dockerfile, string reason, string remedy)
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(checkout.File("docker/images/Dockerfile.dev"), dockerfile, Cancellation);
        await SaidAsync(checkout, "rosemary cannot start. ", reason, remedy);
    }

    [Theory(Timeout = 300_000)]
    [InlineData("no-such-package==1.0", "no-such-package 1.0 is not in the index for this image's Python; no other version is")]
    [InlineData(
        "python-sat==1.8.dev13", "python-sat 1.8.dev13 is not in the index for this image's Python; the nearest versions that are: ")]
    [InlineData("zstandard==0.22.0", "zstandard 0.22.0 has wheels for Python 3.12 at most, and the image's is 3.13")]
    public async Task A_requirement_that_cannot_be_had_is_named_with_its_line_and_with_what_there_is(
        string requirement, string reason)
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(checkout.File("requirements.txt"), $"Flask==3.1.1\n{requirement}\n", Cancellation);
        await File.WriteAllTextAsync(
            checkout.File("docker/images/Dockerfile.dev"),
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n",
            Cancellation);
        await SaidAsync(checkout, $"{checkout.File("requirements.txt")}:2: {reason}");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_check_names_what_pip_will_stumble_over_before_anything_is_built()
    {
        using var checkout = new SampleCheckout();
        await File.WriteAllTextAsync(checkout.File("requirements.txt"), "Flask==3.1.1\nzstandard==0.22.0\ndd==0.5.7\n", Cancellation);
        await box.EngineAsync("pull", "--quiet", "python:3.12-slim");

        await using var check = box.Start($"--Uvlhub:Path={checkout.Path}", "--Uvlhub:Check=true");
        await check.EndAsync(Cancellation);

        var requirements = checkout.File("requirements.txt");
        Assert.Contains(
            $"{requirements}:2: zstandard 0.22.0 has wheels for Python 3.12 at most, and the image's is 3.13", check.Output,
            StringComparison.Ordinal);
        Assert.Contains($"{requirements}:3: dd 0.5.7 is built from source with pkg_resources", check.Output, StringComparison.Ordinal);
    }

    private async Task SaidAsync(SampleCheckout checkout, params string[] messages)
    {
        await using var host = box.Start(
            $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={Uvlhub.NewInstance()}",
            $"--Uvlhub:Snapshots:Path={checkout.File("../snapshots")}");
        foreach (var message in messages)
        {
            await host.PrintedAsync(message, Cancellation);
        }
    }
}
