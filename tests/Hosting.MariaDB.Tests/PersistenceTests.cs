using Xunit;
using static UvlhubAspire.Hosting.MariaDB.Tests.TestApplication;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>What one server leaves to the next.</summary>
public sealed class PersistenceTests : IDisposable
{
    private readonly TemporaryFolder _scripts = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 180_000)]
    public async Task Rows_outlive_a_server_in_a_volume()
    {
        await using var volume = new DataVolume();
        await OutliveAsync(server => server.WithDataVolume(volume.Name));
    }

    [Fact(Timeout = 180_000)]
    public async Task Rows_outlive_a_server_in_a_folder()
    {
        using var folder = new TemporaryFolder();
        try
        {
            await OutliveAsync(server => server.WithDataBindMount(folder.Path));
        }
        finally
        {
            // The files are those of the server's user.
            await TestContainer.DockerAsync(
                "run", "--rm", "--volume", $"{folder.Path}:/data", "--entrypoint", "find", await TestContainer.EnsureImageAsync("mariadb"),
                "/data", "-mindepth", "1", "-delete");
        }
    }

    public void Dispose() => _scripts.Dispose();

    private async Task OutliveAsync(Action<IResourceBuilder<MariaDBServerResource>> keepData)
    {
        _scripts.Write("1-visits.sql", "CREATE TABLE visits (number INT AUTO_INCREMENT PRIMARY KEY); INSERT INTO visits VALUES ();");

        await WithDatabasesAsync(["visits"], async server =>
            Assert.Equal("2", await AskAsync(server.Databases[0], "INSERT INTO visits VALUES (); SELECT LAST_INSERT_ID()")));

        // The scripts have not run again. What the model has more is created, although the image did so for the first alone.
        await WithDatabasesAsync(["more", "visits"], async server =>
        {
            Assert.Equal("2", await AskAsync(server.Databases[1], "SELECT COUNT(*) FROM visits"));
            Assert.Equal("0", await AskAsync(server.Databases[0], "CREATE TABLE t (x INT); SELECT COUNT(*) FROM t"));
        });

        Task WithDatabasesAsync(string[] databases, Func<MariaDBServerResource, Task> work) => WithServerAsync(
            server =>
            {
                server.WithUser("visitor", server.ApplicationBuilder.AddSecret("password", "the same")).WithInitFiles(_scripts.Path);
                keepData(server);
                foreach (var database in databases)
                {
                    server.AddDatabase(database);
                }
            },
            async (server, application) =>
            {
                foreach (var database in databases)
                {
                    await application.ResourceNotifications.WaitForResourceHealthyAsync(database, Cancellation);
                }

                await work(server);
            });
    }
}
