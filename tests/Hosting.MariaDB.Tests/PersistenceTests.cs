using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;
using static UvlhubAspire.Hosting.MariaDB.Tests.TestApplication;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>What is left of a server for the next one.</summary>
public sealed class PersistenceTests : IAsyncDisposable
{
    private readonly string _volume = $"mariadb-tests-{Guid.NewGuid():N}";
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _scripts = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 180_000)]
    [InlineData("a volume")]
    [InlineData("a folder")]
    public async Task Rows_outlive_a_server_scripts_run_once_and_what_the_model_has_more_is_created(string place)
    {
        _scripts.Write("1-visits.sql", "CREATE TABLE visits (number INT AUTO_INCREMENT PRIMARY KEY); INSERT INTO visits VALUES ();");
        void Configure(IResourceBuilder<MariaDBServerResource> server)
        {
            _ = place == "a volume" ? server.WithDataVolume(_volume) : server.WithDataBindMount(_folder.Path);
            server.WithInitFiles(_scripts.Path);
        }

        await WhileRunningAsync(["visits"], "password", Configure, async server =>
            Assert.Equal("1", await AskAsync(server.Databases[0], "INSERT INTO visits VALUES (); SELECT COUNT(*) - 1 FROM visits")));

        await WhileRunningAsync(["renamed", "visits"], "password", Configure, async server =>
        {
            Assert.Equal("2", await AskAsync(server.Databases[1], "SELECT COUNT(*) FROM visits"));
            Assert.Equal("0", await AskAsync(server.Databases[0], "CREATE TABLE t (x INT); SELECT COUNT(*) FROM t"));
        });
    }

    [Fact(Timeout = 180_000)]
    public async Task A_volume_of_other_credentials_is_said_to_be_one()
    {
        void Configure(IResourceBuilder<MariaDBServerResource> server) => server.WithDataVolume(_volume);
        await WhileRunningAsync(["visits"], "old", Configure, _ => Task.CompletedTask);

        await WhileRunningAsync(["visits"], "new", Configure, isHealthy: false, then: async (server, application) =>
        {
            var refused = await application.ResourceNotifications.WaitForResourceAsync(
                server.Name, change => change.Snapshot.HealthStatus == HealthStatus.Unhealthy
                    && change.Snapshot.HealthReports.Any(report => report.Description?.StartsWith("MariaDB refuses", StringComparison.Ordinal) is true),
                Cancellation);
            Assert.Matches(
                "^MariaDB refuses the user \\(Access denied for user 'visitor'@.*\\): a volume keeps the credentials that it was created with. ",
                refused.Snapshot.HealthReports.Single().Description);
        });
    }

    [Fact(Timeout = 60_000)]
    public async Task A_server_that_cannot_start_takes_its_databases_with_it()
    {
        var builder = CreateBuilder();
        var server = builder.AddMariaDB("mariadb", builder.AddSecret("root-password", "root"))
            .WithImageRegistry(null)
            .WithImage("nobody-has/this-image", "none")
            .WithImagePullPolicy(ImagePullPolicy.Never);
        var database = server.AddDatabase("visits");
        var waiting = builder.AddContainer("waiting", "nobody-has/this-image", "none").WaitFor(database, WaitBehavior.StopOnResourceUnavailable);
        await using var application = builder.Build();
        await application.StartAsync(Cancellation);

        foreach (var resource in (IResource[])[server.Resource, database.Resource, waiting.Resource])
        {
            await application.ResourceNotifications.WaitForResourceAsync(resource.Name, KnownResourceStates.FailedToStart, Cancellation);
        }

        await application.StopAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        // The server's files are those of its own user.
        await TestContainer.DockerAsync(
            "run", "--rm", "--volume", $"{_folder.Path}:/data", "--entrypoint", "find", await TestContainer.EnsureImageAsync("mariadb"),
            "/data", "-mindepth", "1", "-delete");
        // The orchestrator removes containers after the application has ended.
        await TestContainer.EventuallyAsync(() => TestContainer.DockerAsync("volume", "rm", "--force", _volume));
        _folder.Dispose();
        _scripts.Dispose();
    }

    private static Task WhileRunningAsync(
        string[] databases, string password, Action<IResourceBuilder<MariaDBServerResource>> configure, Func<MariaDBServerResource, Task> then) =>
        WhileRunningAsync(databases, password, configure, isHealthy: true, (server, _) => then(server));

    private static async Task WhileRunningAsync(
        string[] databases, string password, Action<IResourceBuilder<MariaDBServerResource>> configure, bool isHealthy,
        Func<MariaDBServerResource, DistributedApplication, Task> then)
    {
        var builder = CreateBuilder();
        var server = (await builder.AddMariaDBAsync()).WithUser("visitor", builder.AddSecret("password", password));
        configure(server);
        foreach (var database in databases)
        {
            server.AddDatabase(database);
        }

        await using var application = builder.Build();
        await application.StartAsync(Cancellation);
        try
        {
            foreach (var database in isHealthy ? databases : [])
            {
                await application.ResourceNotifications.WaitForResourceHealthyAsync(database, Cancellation);
            }

            await then(server.Resource, application);
        }
        finally
        {
            await application.StopAsync(CancellationToken.None);
        }
    }
}
