using Xunit;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The tests that edit a checkout, change its database or replace its containers: one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class EditedGroup : ICollectionFixture<EditedSample>
{
    public const string Name = "Edited";
}

/// <summary>
/// The bundled sample with all that the dashboard's commands need beside it, for the tests that leave it other than it
/// was. Its image is the checkout's own, so that an edit of its Dockerfile is one of what the site runs on.
/// </summary>
/// <param name="sample">The sample that nobody edits: it has the packages.</param>
public sealed class EditedSample(RunningSample sample) : IAsyncLifetime
{
    private Uvlhub? _uvlhub;

    public SampleCheckout Checkout { get; } = new();

    /// <summary>The path of the Dockerfile that its image is built from.</summary>
    public string Dockerfile => Checkout.File("docker/images/Dockerfile.dev");

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var packages = await sample.Uvlhub.InspectAsync("web_app_container", "{{.Config.Image}}", cancellation);
        await File.WriteAllTextAsync(Dockerfile, $"FROM {packages}\nWORKDIR /app\n", cancellation);
        await File.WriteAllTextAsync(
            Checkout.File("docker/entrypoints/worker_entrypoint.sh"), "exec rq worker --url redis://redis:6379 default\n", cancellation);
        _uvlhub = await Uvlhub.StartHealthyAsync(
            Checkout.Path, Uvlhub.NewInstance(), cancellation, "--Uvlhub:Services=+redis,+worker,+selenium-hub,+selenium-chrome");
    }

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        await Uvlhub.RemoveImagesAsync(Checkout);
        Checkout.Dispose();
    }
}
