using UvlhubAspire.EndToEnd.Tests;
using Xunit;

[assembly: AssemblyFixture(typeof(RunningSample))]

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The bundled sample, started once on an empty volume for all tests that only look. It is nobody's to edit: see
/// <see cref="EditedGroup"/>.</summary>
public sealed class RunningSample : IAsyncLifetime
{
    private Uvlhub? _uvlhub;

    public SampleCheckout Checkout { get; } = new();

    public Uvlhub Uvlhub => _uvlhub ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync() =>
        _uvlhub = await Uvlhub.StartHealthyAsync(Checkout.Path, Uvlhub.NewInstance(), TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_uvlhub is not null)
        {
            await _uvlhub.DisposeAsync();
        }

        Checkout.Dispose();
    }
}
