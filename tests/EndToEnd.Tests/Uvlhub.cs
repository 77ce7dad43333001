using System.Diagnostics;
using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MySqlConnector;
using UvlhubAspire.AppHost.Start;
using UvlhubAspire.Engine;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>
/// The whole AppHost, started as a user starts it, under an instance name, volumes and ports of its own, so that the
/// tests run beside a uvlhub that is up.
/// </summary>
public sealed class Uvlhub : IAsyncDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_engineLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_removalLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);
    private readonly DistributedApplication _app;
    private readonly Task _start;

    private Uvlhub(DistributedApplication app, string instance) => (_app, Instance, _start) = (app, instance, app.StartAsync());

    /// <summary>The prefix of its containers' and volume's names.</summary>
    public string Instance { get; }

    public DistributedApplication App => _app;

    /// <summary>Whether the start has ended: each resource has started, or has failed.</summary>
    public bool HasStarted => _start.IsCompleted;

    /// <summary>The engine that the AppHost uses: Podman where Aspire's own setting in the environment says so.</summary>
    internal static ContainerEngine Engine { get; } = ContainerEngine.FromConfiguration(
        new ConfigurationBuilder().AddEnvironmentVariables().Build());

    /// <summary>What a command of the engine's prints; one that fails is an error.</summary>
    internal static async Task<string> EngineAsync(TimeSpan limit, CancellationToken cancellationToken, params string[] words)
    {
        var result = await Engine.RunAsync(limit, cancellationToken, words);
        return result.Succeeded
            ? result.Output
            : throw new InvalidOperationException($"{Engine.Executable} {string.Join(' ', words)}: {result.Error}");
    }

    public static string NewInstance() => $"e2e{Guid.NewGuid().ToString("n")[..8]}";

    /// <summary>Starts the AppHost and waits until each resource has started or failed; not for the site.</summary>
    /// <param name="checkout">The checkout's folder.</param>
    /// <param name="instance">A name from <see cref="NewInstance"/>; the same again finds the same data.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="settings">Further settings, as on the command line.</param>
    public static async Task<Uvlhub> StartAsync(
        string checkout, string instance, CancellationToken cancellationToken, params string[] settings)
    {
        var uvlhub = await BeginAsync(checkout, instance, settings, cancellationToken);
        try
        {
            await uvlhub._start.WaitAsync(s_startLimit, cancellationToken);
            return uvlhub;
        }
        catch
        {
            await uvlhub.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Starts the AppHost and waits until the site is healthy, whatever else cannot start; the message of a failure says what
    /// the resources say.
    /// </summary>
    public static async Task<Uvlhub> StartHealthyAsync(
        string checkout, string instance, CancellationToken cancellationToken, params string[] settings)
    {
        var uvlhub = await BeginAsync(checkout, instance, settings, cancellationToken);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_startLimit);
            var healthy = uvlhub._app.ResourceNotifications.WaitForResourceHealthyAsync(
                "web", WaitBehavior.StopOnResourceUnavailable, limit.Token);
            if (await Task.WhenAny(uvlhub._start, healthy) == uvlhub._start)
            {
                await uvlhub._start;
            }

            await healthy;
            return uvlhub;
        }
        catch (Exception exception)
        {
            var migrator = await uvlhub.LogAsync("migrator", CancellationToken.None);
            var web = await uvlhub.LogAsync("web", CancellationToken.None);
            await uvlhub.DisposeAsync();
            throw new InvalidOperationException(
                $"The site did not become healthy: {exception.Message}\nmigrator:\n{migrator}\nweb:\n{web}", exception);
        }
    }

    private static async Task<Uvlhub> BeginAsync(
        string checkout, string instance, string[] settings, CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            $"--Uvlhub:Path={checkout}", $"--Uvlhub:Instance={instance}", $"--Uvlhub:Snapshots:Path={SnapshotsOf(instance)}",
            .. settings,
        ];
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            arguments, (options, _) => options.DisableDashboard = false, cancellationToken);
        builder.Services.AddLogging(logging => logging
            // A failure's message brings the logs that matter.
            .AddFilter("AppHost.Resources", LogLevel.None)
            .AddFilter("Aspire.Hosting", LogLevel.Warning));
        return new Uvlhub(await builder.BuildAsync(cancellationToken), instance);
    }

    /// <summary>A client of the site that keeps cookies.</summary>
    public HttpClient CreateClient() => new(new HttpClientHandler()) { BaseAddress = SiteUrl, Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>
    /// Where a resource is reached. Not by Aspire's own method, which wants the whole start to have ended: one service that
    /// cannot start keeps it from that.
    /// </summary>
    public Uri EndpointOf(string resource, string endpoint) =>
        new(((IResourceWithEndpoints)Resource(resource)).GetEndpoint(endpoint).Url);

    public Uri SiteUrl => EndpointOf("web", "http");

    /// <summary>The dashboard's address with its token.</summary>
    public async Task<string> DashboardLoginUrlAsync(CancellationToken cancellationToken) =>
        await DashboardAddresses.LoginUrlAsync(_app.Services, cancellationToken)
            ?? throw new InvalidOperationException("the dashboard is disabled");

    public string ContainerOf(string name) => $"{Instance}_{name}";

    /// <summary>What the engine knows of a container.</summary>
    /// <param name="container">The container's name without the instance.</param>
    /// <param name="template">A template of <c>docker inspect</c>.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public Task<string> InspectAsync(string container, string template, CancellationToken cancellationToken) =>
        EngineAsync(s_engineLimit, cancellationToken, "container", "inspect", "--format", template, ContainerOf(container));

    /// <summary>What a command in a container prints; one that fails is an error.</summary>
    /// <param name="container">The container's name without the instance.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    /// <param name="words">The command.</param>
    public Task<string> InsideAsync(string container, CancellationToken cancellationToken, params string[] words) =>
        EngineAsync(s_engineLimit, cancellationToken, ["exec", ContainerOf(container), .. words]);

    /// <summary>A database's connection string, also while something else of the model has not started.</summary>
    public async Task<string> ConnectionStringAsync(string resource, CancellationToken cancellationToken) =>
        await ((IResourceWithConnectionString)Resource(resource)).GetConnectionStringAsync(cancellationToken) ?? "";

    /// <summary>A connection of the application user (<c>uvlhubdb</c>, <c>uvlhubdb-test</c>) or of root (<c>db</c>).</summary>
    public async Task<MySqlConnection> ConnectAsync(string resource, CancellationToken cancellationToken)
    {
        var connection = new MySqlConnection(await ConnectionStringAsync(resource, cancellationToken));
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
        await foreach (var batch in _app.Services.GetRequiredService<ResourceLoggerService>().GetAllAsync(ResourceName(resource))
            .WithCancellation(cancellationToken))
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
    public Task<ExecuteCommandResult> RunCommandAsync(
        string resource, string command, (string Name, string Value)[] arguments, CancellationToken cancellationToken) =>
        App.Services.GetRequiredService<ResourceCommandService>().ExecuteCommandAsync(
            Resource(resource),
            command,
            new InteractionInputCollection([.. arguments.Select(argument => new InteractionInput { Name = argument.Name, InputType = InputType.Text, Value = argument.Value })]),
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await RemoveLeftoversAsync(Instance);
    }

    /// <summary>
    /// Removes what an instance leaves: the volumes, which a user would keep, the network of a run that was killed or ended
    /// while it started, and its snapshots. The orchestrator may still be removing the containers of such a one. What
    /// cannot be removed fails.
    /// </summary>
    public static async Task RemoveLeftoversAsync(string instance)
    {
        var ours = $"name=^{instance}_";
        var stayed = await LeftAsync(null, "container", "ls", "--all", "--format", "{{.Names}}", "--filter", ours);
        if (stayed.Length > 0)
        {
            // A fault of what was tested, but not one that the machine has to keep.
            await EngineAsync(s_engineLimit, CancellationToken.None, ["container", "rm", "--force", .. stayed]);
        }

        string[] left =
        [
            .. stayed,
            .. await LeftAsync("volume", "volume", "ls", "--quiet", "--filter", ours),
            .. await LeftAsync("network", "network", "ls", "--format", "{{.Name}}", "--filter", ours),
        ];
        if (Directory.Exists(SnapshotsOf(instance)))
        {
            Directory.Delete(SnapshotsOf(instance), recursive: true);
        }

        if (left.Length > 0)
        {
            throw new InvalidOperationException(
                $"{instance} has ended, and after {s_removalLimit.TotalSeconds:0} s there was still: {string.Join(", ", left)}");
        }
    }

    /// <summary>Removes the images that were built from a checkout, which a user would keep. What cannot be removed fails.</summary>
    public static async Task RemoveImagesAsync(SampleCheckout checkout)
    {
        var left = await LeftAsync(
            "image",
            "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", $"uvlhub-aspire/checkout-{System.IO.Path.GetFileName(checkout.Path)}*");
        if (left.Length > 0)
        {
            throw new InvalidOperationException($"these images cannot be removed: {string.Join(", ", left)}");
        }
    }

    // What a question to the engine still lists at the limit; what it lists before that is removed, unless it goes by itself.
    private static async Task<string[]> LeftAsync(string? kind, params string[] question)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            var left = (
                await EngineAsync(s_engineLimit, CancellationToken.None, question)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            if (left.Length == 0 || Stopwatch.GetElapsedTime(begun) > s_removalLimit)
            {
                return left;
            }

            foreach (var name in kind is null ? [] : left)
            {
                // Whether it did is asked above: somebody else may have been removing it as well.
                await Engine.RunAsync(s_engineLimit, CancellationToken.None, kind!, "rm", name);
            }

            await Task.Delay(s_pause, CancellationToken.None);
        }
    }

    // Beside the user's own, which stay.
    private static string SnapshotsOf(string instance) => System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"{instance}-snapshots");

    private IResource Resource(string name) =>
        _app.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(resource => resource.Name == name);

    private string ResourceName(string resource) =>
        _app.ResourceNotifications.TryGetCurrentState(resource, out var current) ? current.ResourceId : resource;
}
