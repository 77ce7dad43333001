using Aspire.Hosting.Lifecycle;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UvlhubAspire.Hosting.Containers;

namespace Aspire.Hosting;

/// <summary>Adds a network with a name of the application's choice.</summary>
public static class NetworkBuilderExtensions
{
    /// <summary>Puts every container on a network with this name, beside Aspire's own.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The network's name on the engine.</param>
    public static void AddNamedNetwork(this IDistributedApplicationBuilder builder, NetworkName name)
    {
        builder.Services.AddSingleton(name);
        builder.Services.AddSingleton<NamedNetwork>();
        builder.Services.AddSingleton<IDistributedApplicationEventingSubscriber>(services => services.GetRequiredService<NamedNetwork>());
        // What starts first ends last: the orchestrator has to have removed the containers before their network can go.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService>(services => services.GetRequiredService<NamedNetwork>()));
    }
}
