using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace UvlhubAspire.AppHost.Network;

/// <summary>Adds the network that the tutorial names.</summary>
internal static class NetworkBuilderExtensions
{
    /// <summary>Puts every container on the tutorial's network, beside Aspire's own.</summary>
    /// <param name="builder">The application that is being built.</param>
    public static void AddUvlhubNetwork(this IDistributedApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UvlhubNetwork>();
        builder.Services.AddSingleton<IDistributedApplicationEventingSubscriber>(services => services.GetRequiredService<UvlhubNetwork>());
        // What starts first ends last: the orchestrator has to have removed the containers before their network can go.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService>(services => services.GetRequiredService<UvlhubNetwork>()));
    }
}
