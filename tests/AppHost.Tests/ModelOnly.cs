using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Xunit;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>The AppHost's model, of which nothing is started.</summary>
internal static class ModelOnly
{
    /// <summary>Makes it; whoever gets the builder lets it go.</summary>
    /// <param name="settings">Settings, as on the command line.</param>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync(params string[] settings)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(
            settings, TestContext.Current.CancellationToken);
        // A builder that is let go without having been built runs the AppHost to its end, with all that happens at a start.
        builder.Eventing.Subscribe<BeforeStartEvent>((_, _) => throw new OperationCanceledException("only the model was wanted"));
        return builder;
    }
}
