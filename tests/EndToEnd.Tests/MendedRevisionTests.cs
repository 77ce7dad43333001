using Aspire.Hosting.ApplicationModel;
using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>A start that fails at a revision, and goes on when that is mended.</summary>
public sealed class MendedRevisionTests
{
    private const string Reader = "schema-reader";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 300_000)]
    public async Task Migrate_fails_as_long_as_the_revision_does_and_then_starts_the_site_that_waited_for_it()
    {
        using var checkout = new SampleCheckout();
        await WriteRevisionAsync(checkout, "SELECT nonsense FROM nowhere");
        await AddReaderAsync(checkout);
        await using var uvlhub = await Uvlhub.StartAsync(checkout.Path, Uvlhub.NewInstance(), Cancellation);
        await uvlhub.App.ResourceNotifications.WaitForResourceAsync("web", KnownResourceStates.FailedToStart, Cancellation);

        var failed = await uvlhub.RunCommandAsync("migrator", "migrate", [], Cancellation);
        Assert.False(failed.Success);
        Assert.Equal("migrate: failed, the database is as it was before; the migrator's log says more", failed.Message);

        // It ends because the schema is not there, and is not started again for ever.
        var reader = await uvlhub.App.ResourceNotifications.WaitForResourceAsync(
            Reader, change => change.Snapshot.State?.Text == KnownResourceStates.FailedToStart, Cancellation);
        Assert.Contains(
            "there is no schema", await uvlhub.LogAsync(Reader, Cancellation), StringComparison.Ordinal);

        await WriteRevisionAsync(checkout, "CREATE TABLE mended (id INT)");
        var done = await uvlhub.RunCommandAsync("migrator", "migrate", [], Cancellation);

        Assert.True(done.Success, done.Message);
        Assert.Equal("The migrator has finished; started web.", done.Data?.Value);
        await uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync("web", Cancellation);
        using var client = uvlhub.CreateClient();
        Assert.Contains("Coffee machine", await client.GetStringAsync("/", Cancellation), StringComparison.Ordinal);
        Assert.Equal("0", await uvlhub.ScalarAsync("uvlhubdb", "SELECT COUNT(*) FROM mended", Cancellation));
        await uvlhub.App.ResourceCommands.ExecuteCommandAsync(reader.ResourceId, KnownResourceCommands.StartCommand, Cancellation);
        await uvlhub.App.ResourceNotifications.WaitForResourceAsync(Reader, KnownResourceStates.Running, Cancellation);
    }

    // A service of a fork's that looks for the schema itself, as each wrote its own script for it.
    private static async Task AddReaderAsync(SampleCheckout checkout)
    {
        var file = checkout.File("docker/docker-compose.dev.yml");
        await File.WriteAllTextAsync(
            file,
            (await File.ReadAllTextAsync(file, Cancellation)).Replace("services:\n", $$"""
                services:

                  {{Reader}}:
                    image: {{await TestContainer.EnsureImageAsync("mariadb")}}
                    env_file: ../.env
                    restart: always
                    entrypoint: [ sh, -c ]
                    command:
                      - >-
                        mariadb -h db -u "$$MARIADB_USER" -p"$$MARIADB_PASSWORD" "$$MARIADB_DATABASE" -e 'SELECT * FROM mended'
                        || { echo there is no schema; exit 1; }; exec sleep infinity
                    depends_on: [ db ]

                """, StringComparison.Ordinal),
            Cancellation);
    }

    /// <summary>Gives a checkout a revision 005 that executes a statement.</summary>
    internal static Task WriteRevisionAsync(SampleCheckout checkout, string statement) => File.WriteAllTextAsync(
        checkout.File("migrations/versions/005.py"),
        $"from alembic import op\nrevision = '005'\ndown_revision = '004'\n\n\ndef upgrade():\n    op.execute('{statement}')\n",
        Cancellation);
}
