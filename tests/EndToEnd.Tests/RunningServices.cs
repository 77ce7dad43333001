using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>An instance of its own beside the shared one, whose containers may be killed and stopped.</summary>
[CollectionDefinition(Name)]
public sealed class ServicesGroup : ICollectionFixture<RunningServices>
{
    public const string Name = "Services";
}

/// <summary>The bundled sample with Redis beside it, and with services that keep the start from ending.</summary>
public sealed class RunningServices : IAsyncLifetime
{
    /// <summary>A service that cannot start until a test gives it an image; another one never can.</summary>
    public const string Later = "later";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private readonly SampleCheckout _checkout = new();
    private Uvlhub? _uvlhub;

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    /// <summary>An image for <see cref="Later"/>.</summary>
    public string Image { get; private set; } = "";

    public Uri NginxUrl => Uvlhub.EndpointOf("nginx", "http");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        Image = await Nowhere.AddAsync(_checkout, "docker-compose.dev.yml", "nowhere", Later);
        _uvlhub = await Uvlhub.StartHealthyAsync(_checkout.Path, Uvlhub.NewInstance(), cancellation, "--Uvlhub:Services=+redis");
        await Task.WhenAll(
            ((string[])["nginx", "redis"]).Select(
                service => _uvlhub.App.ResourceNotifications.WaitForResourceHealthyAsync(service, cancellation)));
    }

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        _checkout.Dispose();
    }

    /// <summary>A field of <c>docker inspect</c>.</summary>
    /// <param name="container">The container's name without the instance.</param>
    /// <param name="field">A template, such as <c>.State.Status</c>.</param>
    public async Task<string> InspectAsync(string container, string field) =>
        (
            await Uvlhub.Engine.RunAsync(
                s_limit, TestContext.Current.CancellationToken, "container", "inspect", "--format", $"{{{{{field}}}}}",
                Uvlhub.ContainerOf(container))).Output;

    /// <summary>Kills a container's process from the host, as a crash does: the engine was not asked.</summary>
    public Task CrashAsync(string container) => new InstanceOnEngine(Uvlhub.Instance).CrashAsync(container);

    /// <summary>The state of a resource, in the dashboard's words.</summary>
    public string? StateOf(string resource) =>
        Uvlhub.App.ResourceNotifications.TryGetCurrentState(ResourceId(resource), out var current) ? current.Snapshot.State?.Text : null;

    /// <summary>A property among a resource's details in the dashboard.</summary>
    public string? PropertyOf(string resource, string property) =>
        Uvlhub.App.ResourceNotifications.TryGetCurrentState(ResourceId(resource), out var current)
            ? current.Snapshot.Properties.FirstOrDefault(candidate => candidate.Name == property)?.Value as string
            : null;

    /// <summary>Presses a button of the dashboard: <c>start</c>, <c>stop</c>, <c>restart</c>.</summary>
    public async Task CommandAsync(string resource, string command)
    {
        var result = await Uvlhub.App.ResourceCommands.ExecuteCommandAsync(
            ResourceId(resource), command, TestContext.Current.CancellationToken);
        Assert.True(result.Success, $"{resource} {command}: {result.Message}");
    }

    private string ResourceId(string resource) =>
        Uvlhub.App.ResourceNotifications.TryGetCurrentState(resource, out var current) ? current.ResourceId : resource;
}
