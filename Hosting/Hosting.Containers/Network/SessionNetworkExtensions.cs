using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UvlhubAspire.Hosting.Containers;

namespace Aspire.Hosting;

/// <summary>Sets up the wait for the network.</summary>
public static class SessionNetworkExtensions
{
    /// <summary>Has the first containers wait for their network: see <see cref="SessionNetwork"/>.</summary>
    /// <param name="builder">The application that is being built.</param>
    public static void AddSessionNetwork(this IDistributedApplicationBuilder builder)
    {
        var network = new SessionNetwork();
        builder.Services.AddSingleton<IDistributedApplicationEventingSubscriber>(network);
        builder.Services.AddLogging(logging => logging
            .AddProvider(network)
            .AddFilter<SessionNetwork>(null, LogLevel.None)
            .AddFilter<SessionNetwork>(SessionNetwork.Category, LogLevel.Debug));
    }
}
