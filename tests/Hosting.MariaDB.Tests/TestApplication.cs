using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using MySqlConnector;
using Xunit;

namespace UvlhubAspire.Hosting.MariaDB.Tests;

/// <summary>Applications that really run, with the image that these tests have on any machine.</summary>
internal static class TestApplication
{
    /// <summary>An application without a dashboard.</summary>
    public static IDistributedApplicationBuilder CreateBuilder() =>
        DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true });

    /// <summary>Adds a server of the stand-in image.</summary>
    public static async Task<IResourceBuilder<MariaDBServerResource>> AddMariaDBAsync(
        this IDistributedApplicationBuilder builder, string rootPassword = "root's password") =>
        builder.AddMariaDB("mariadb", builder.AddSecret("root-password", rootPassword))
            .WithImageRegistry(null)
            .WithImage(await TestContainer.EnsureImageAsync("mariadb"));

    public static IResourceBuilder<ParameterResource> AddSecret(this IDistributedApplicationBuilder builder, string name, string value) =>
        builder.AddParameter(name, value, secret: true);

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
