using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>What the database's official image does otherwise than our stand-in: the box's goes its way.</summary>
[Collection(BoxGroup.Name), Trait("Tier", "long"), Trait("Needs", "wheels")]
public sealed class OfficialImageTests(NetworkInABox box)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fault(FaultArea.Database, "the official image's first start is killed while it makes the volume")]
    [Fact(Timeout = 600_000)]
    public async Task A_volume_whose_first_start_was_killed_is_made_anew()
    {
        using var checkout = new SampleCheckout();
        var instance = Uvlhub.NewInstance();
        var container = $"{instance}_{InstanceOnEngine.Database}";
        await using var process = box.Start(
            $"--Uvlhub:Path={checkout.Path}", $"--Uvlhub:Instance={instance}", $"--Uvlhub:Snapshots:Path={checkout.File("../snapshots")}");
        // From the moment that this folder is there its entrypoint takes the volume for a database.
        await Eventually.TrueAsync(async () => await box.DoesAsync("exec", container, "test", "-d", "/var/lib/mysql/mysql"));
        await box.KillAsync(container);

        var site = await process.ReadyAsync(Cancellation);

        Proof.Happens("it is made anew, and that is said", () =>
            Assert.Contains("never became a database", process.Output, StringComparison.Ordinal));
        Proof.Reads("never became a database", process.Output);
        using var visitor = new Visitor(site);
        var page = await visitor.ReadAsync("/", Cancellation);
        Proof.Happens("the site is seeded", () => Assert.Contains("Coffee machine", page, StringComparison.Ordinal));
    }
}
