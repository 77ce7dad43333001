using Aspire.Hosting.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MySqlConnector;
using Xunit;
using Xunit.v3;

// More than there are processors: each waits for containers most of the time.
[assembly: Parallelization(MaxThreads = 3)]

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>Applications that really run, with the image that these tests have on any machine.</summary>
internal static class TestApplication
{
    /// <summary>An application without a dashboard. Its end takes what it made with it.</summary>
    public static IDistributedApplicationTestingBuilder CreateBuilder()
    {
        var builder = DistributedApplicationTestingBuilder.Create();
        builder.Services.AddLogging(logging => logging.ClearProviders());
        return builder;
    }

    /// <summary>Adds a server of the stand-in image.</summary>
    public static async Task<IResourceBuilder<MariaDBServerResource>> AddMariaDBAsync(this IDistributedApplicationBuilder builder) =>
        builder.AddMariaDB("mariadb", builder.AddSecret("root-password", "root's password"))
            .WithImageRegistry(null)
            .WithImage(await TestContainer.EnsureImageAsync("mariadb"));

    public static IResourceBuilder<ParameterResource> AddSecret(this IDistributedApplicationBuilder builder, string name, string value) =>
        builder.AddParameter(name, value, secret: true);

    /// <summary>Runs a server as long as somebody works with it.</summary>
    /// <param name="configure">Adds what the server is to have.</param>
    /// <param name="work">The work.</param>
    public static async Task WithServerAsync(
        Action<IResourceBuilder<MariaDBServerResource>> configure, Func<MariaDBServerResource, DistributedApplication, Task> work)
    {
        var builder = CreateBuilder();
        var server = await builder.AddMariaDBAsync();
        configure(server);
        await using var application = await builder.BuildAsync();
        try
        {
            await application.StartAsync(TestContext.Current.CancellationToken);
            await work(server.Resource, application);
        }
        finally
        {
            await application.StopAsync(CancellationToken.None);
        }
    }

    /// <summary>Executes SQL and returns the first value of its answer as text.</summary>
    public static async Task<string?> AskAsync(IResourceWithConnectionString whom, string sql)
    {
        var cancellation = TestContext.Current.CancellationToken;
        // Not pooled: a server of another test may get the same port.
        var settings = new MySqlConnectionStringBuilder((await whom.GetConnectionStringAsync(cancellation))!) { Pooling = false };
        await using var connection = new MySqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellation);
        await using var command = new MySqlCommand(sql, connection);
        return (await command.ExecuteScalarAsync(cancellation))?.ToString();
    }
}
