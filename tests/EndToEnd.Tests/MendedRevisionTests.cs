using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A start that fails at a revision, and goes on when that is mended.</summary>
public sealed class MendedRevisionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task Migrate_fails_as_long_as_the_revision_does_and_then_starts_the_site_that_waited_for_it()
    {
        using var checkout = new SampleCheckout();
        await WriteRevisionAsync(checkout, "SELECT nonsense FROM nowhere");
        await using var uvlhub = await Uvlhub.StartAsync(checkout.Path, Uvlhub.NewInstance(), Cancellation);
        await uvlhub.App.ResourceNotifications.WaitForResourceAsync("web", KnownResourceStates.FailedToStart, Cancellation);

        var failed = await uvlhub.RunCommandAsync("migrator", "migrate", [], Cancellation);
        Assert.False(failed.Success);
        Assert.Equal("migrate: failed, the database is as it was before; the migrator's log says more", failed.Message);

        await WriteRevisionAsync(checkout, "CREATE TABLE mended (id INT)");
        var done = await uvlhub.RunCommandAsync("migrator", "migrate", [], Cancellation);

        Assert.True(done.Success, done.Message);
        Assert.Equal("The migrator has finished; started web.", done.Data?.Value);
        await uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("web", Cancellation);
        using var client = uvlhub.CreateClient();
        Assert.Contains("Coffee machine", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.Equal("0", await uvlhub.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM mended", Cancellation));
    }

    private static Task WriteRevisionAsync(SampleCheckout checkout, string statement) => File.WriteAllTextAsync(
        checkout.File("migrations/versions/005.py"),
        $"from alembic import op\nrevision = '005'\ndown_revision = '004'\n\n\ndef upgrade():\n    op.execute('{statement}')\n",
        Cancellation);
}
