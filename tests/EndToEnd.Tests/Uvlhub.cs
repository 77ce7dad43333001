using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MySqlConnector;
using UvlhubAspire.AppHost.Engine;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// The whole AppHost, started as a user starts it, under an instance name, volumes and ports of its own, so that the
/// tests run beside a uvlhub that is up.
/// </summary>
public sealed class Uvlhub : IAsyncDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(15);
    private readonly DistributedApplication _app;

    private Uvlhub(DistributedApplication app, string instance) => (_app, Instance) = (app, instance);

    /// <summary>The prefix of its containers' and volume's names.</summary>
    public string Instance { get; }

    public DistributedApplication App => _app;

    /// <summary>The engine that the AppHost uses: Podman where Aspire's own setting in the environment says so.</summary>
    internal static ContainerEngine Engine { get; } = ContainerEngine.FromConfiguration(new ConfigurationBuilder().AddEnvironmentVariables().Build());

    /// <summary>What a command of the engine's prints; one that fails is an error.</summary>
    internal static async Task<string> EngineAsync(TimeSpan limit, CancellationToken cancellationToken, params string[] words)
    {
        var result = await Engine.RunAsync(limit, cancellationToken, words);
        return result.Succeeded ? result.Output : throw new InvalidOperationException($"{Engine.Executable} {string.Join(' ', words)}: {result.Error}");
    }

    public static string NewInstance() => $"e2e{Guid.NewGuid().ToString("n")[..8]}";

    /// <summary>Starts the AppHost; nothing is waited for.</summary>
    /// <param name="checkout">The checkout's folder.</param>
    /// <param name="instance">A name from <see cref="NewInstance"/>; the same again finds the same data.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="settings">Further settings, as on the command line.</param>
    public static async Task<Uvlhub> StartAsync(string checkout, string instance, CancellationToken cancellationToken, params string[] settings)
    {
        string[] arguments =
        [
            $"--Uvlhub:Path={checkout}", $"--Uvlhub:Instance={instance}", .. settings,
        ];
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            arguments, (options, _) => options.DisableDashboard = false, cancellationToken);
        builder.Services.AddLogging(logging => logging
            // A failure's message brings the logs that matter.
            .AddFilter("AppHost.Resources", LogLevel.None)
            .AddFilter("Aspire.Hosting", LogLevel.Warning));
        var app = await builder.BuildAsync(cancellationToken);
        var uvlhub = new Uvlhub(app, instance);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_startLimit);
            await app.StartAsync(limit.Token);
            return uvlhub;
        }
        catch
        {
            await uvlhub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the AppHost and waits until the site is healthy; the message of a failure says what the resources say.</summary>
    public static async Task<Uvlhub> StartHealthyAsync(string checkout, string instance, CancellationToken cancellationToken, params string[] settings)
    {
        var uvlhub = await StartAsync(checkout, instance, cancellationToken, settings);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_startLimit);
            await uvlhub._app.ResourceNotifications.WaitForResourceHealthyAsync("web", WaitBehavior.StopOnResourceUnavailable, limit.Token);
            return uvlhub;
        }
        catch (Exception exception)
        {
            var migrator = await uvlhub.LogAsync("migrator", CancellationToken.None);
            var web = await uvlhub.LogAsync("web", CancellationToken.None);
            await uvlhub.DisposeAsync();
            throw new InvalidOperationException($"The site did not become healthy: {exception.Message}\nmigrator:\n{migrator}\nweb:\n{web}", exception);
        }
    }

    /// <summary>A client of the site that keeps cookies.</summary>
    public HttpClient CreateClient() => new(new HttpClientHandler()) { BaseAddress = SiteUrl, Timeout = TimeSpan.FromSeconds(30) };

    public Uri SiteUrl => _app.GetEndpoint("web", "http");

    /// <summary>The dashboard's address with its token.</summary>
    public async Task<string> DashboardLoginUrlAsync(CancellationToken cancellationToken) =>
        await DashboardAddresses.LoginUrlAsync(_app.Services, cancellationToken) ?? throw new InvalidOperationException("the dashboard is disabled");

    public string ContainerOf(string name) => $"{Instance}_{name}";

    /// <summary>A connection of the application user (<c>uvlhubdb</c>, <c>uvlhubdb-test</c>) or of root (<c>db</c>).</summary>
    public async Task<MySqlConnection> ConnectAsync(string resource, CancellationToken cancellationToken)
    {
        var connection = new MySqlConnection(await _app.GetConnectionStringAsync(resource, cancellationToken));
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    public async Task<string> ScalarAsync(string resource, string sql, CancellationToken cancellationToken) =>
        await FirstValueAsync(await ConnectAsync(resource, cancellationToken), sql, cancellationToken);

    /// <summary>Runs a statement, gives its first value, and closes the connection.</summary>
    internal static async Task<string> FirstValueAsync(MySqlConnection opened, string sql, CancellationToken cancellationToken)
    {
        await using var connection = opened;
        await using var command = new MySqlCommand(sql, connection);
        return Convert.ToString(await command.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>What a resource has logged until now.</summary>
    public async Task<string> LogAsync(string resource, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        await foreach (var batch in _app.Services.GetRequiredService<ResourceLoggerService>().GetAllAsync(ResourceName(resource)).WithCancellation(cancellationToken))
        {
            lines.AddRange(batch.Select(line => line.Content));
        }

        return string.Join('\n', lines);
    }

    /// <summary>Ends it as Ctrl+C does; the volume stays.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _app.StopAsync(cancellationToken);
        await _app.DisposeAsync();
    }

    /// <summary>Runs a resource's command, as the dashboard does, with what is typed in.</summary>
    public Task<ExecuteCommandResult> RunCommandAsync(string resource, string command, (string Name, string Value)[] arguments, CancellationToken cancellationToken) =>
        App.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync(
            App.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(candidate => candidate.Name == resource),
            command,
            new InteractionInputCollection([.. arguments.Select(argument => new InteractionInput { Name = argument.Name, InputType = InputType.Text, Value = argument.Value })]),
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await RemoveLeftoversAsync(Instance);
    }

    /// <summary>
    /// Removes what an instance leaves: the volumes, which a user would keep, and the network of a run that was killed or
    /// ended while it started. The orchestrator may still be removing the containers of such a one.
    /// </summary>
    public static async Task RemoveLeftoversAsync(string instance)
    {
        var limit = TimeSpan.FromSeconds(30);
        var begun = Stopwatch.GetTimestamp();
        while ((await ListAsync("container", "ls", "--all")).Length > 0 && Stopwatch.GetElapsedTime(begun) < limit)
        {
            await Task.Delay(200, CancellationToken.None);
        }

        foreach (var kind in (string[])["volume", "network"])
        {
            foreach (var name in await ListAsync(kind, "ls"))
            {
                await Engine.RunAsync(limit, CancellationToken.None, kind, "rm", name);
            }
        }

        async Task<string[]> ListAsync(params string[] words) =>
            (await Engine.RunAsync(limit, CancellationToken.None, [.. words, "--quiet", "--filter", $"name=^{instance}_"])).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Removes the images that were built from a checkout, which a user would keep.</summary>
    public static async Task RemoveImagesAsync(SampleCheckout checkout)
    {
        var limit = TimeSpan.FromSeconds(30);
        var images = await Engine.RunAsync(limit, CancellationToken.None,
            "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", $"uvlhub-aspire/checkout-{System.IO.Path.GetFileName(checkout.Path)}*");
        foreach (var image in images.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await Engine.RunAsync(limit, CancellationToken.None, "image", "rm", image);
        }
    }

    private string ResourceName(string resource) =>
        _app.ResourceNotifications.TryGetCurrentState(resource, out var current) ? current.ResourceId : resource;
}
