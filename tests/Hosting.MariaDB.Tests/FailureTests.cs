using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;
using static UvlhubAspire.Hosting.MariaDB.Tests.TestApplication;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>A server that nobody can work with says so.</summary>
public sealed class FailureTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task A_volume_of_other_credentials_is_said_to_be_one()
    {
        await using var volume = new DataVolume();
        await WithServerAsync(
            server => server.WithUser("visitor", server.ApplicationBuilder.AddSecret("password", "old")).WithDataVolume(volume.Name),
            (server, application) => application.ResourceNotifications.WaitForResourceHealthyAsync(server.Name, Cancellation));

        await WithServerAsync(
            server => server.WithUser("visitor", server.ApplicationBuilder.AddSecret("password", "new")).WithDataVolume(volume.Name),
            async (server, application) =>
            {
                var refused = await application.ResourceNotifications.WaitForResourceAsync(
                    server.Name,
                    change => change.Snapshot.HealthReports is [{ Status: HealthStatus.Unhealthy, Description: { } text }]
                        && text.Contains("Access denied", StringComparison.Ordinal),
                    Cancellation);
                Assert.Matches(
                    "^MariaDB refuses the user \\(Access denied for user 'visitor'@.*\\): a volume keeps the credentials that it was "
                    + "created with. Put the old password back, or remove the volume.$",
                    refused.Snapshot.HealthReports.Single().Description);
            });
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_that_cannot_start_takes_its_databases_and_who_waits_for_them_with_it() => await WithServerAsync(
        server =>
        {
            var builder = server.ApplicationBuilder;
            builder.Eventing.Subscribe<BeforeResourceStartedEvent>(
                server.Resource, (_, _) => throw new DistributedApplicationException("there is no image"));
            builder.AddContainer("client", "none").WaitFor(server.AddDatabase("visits"), WaitBehavior.StopOnResourceUnavailable);
        },
        async (server, application) =>
        {
            foreach (var resource in (string[])[server.Name, "visits", "client"])
            {
                await application.ResourceNotifications.WaitForResourceAsync(resource, KnownResourceStates.FailedToStart, Cancellation);
            }
        });
}
