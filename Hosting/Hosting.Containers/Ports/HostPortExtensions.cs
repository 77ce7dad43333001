using Microsoft.Extensions.Configuration;
using UvlhubAspire.Hosting.Containers;

namespace Aspire.Hosting;

/// <summary>Gives endpoints their ports on the host.</summary>
public static class HostPortExtensions
{
    /// <summary>
    /// Publishes an endpoint on the port that a setting chooses, by the engine itself and not by Aspire's proxy: a site
    /// that listens is reached at once, where the proxy learns of a container most of a second after its start; and the
    /// engine may open a port that is reserved for root.
    /// </summary>
    /// <typeparam name="T">The kind of resource.</typeparam>
    /// <param name="builder">The resource.</param>
    /// <param name="port">The port and its setting.</param>
    /// <param name="endpoint">The endpoint's name. Default: the only one that the resource has.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> WithHostPort<T>(this IResourceBuilder<T> builder, HostPort port, string? endpoint = null)
        where T : IResourceWithEndpoints
    {
        var name = endpoint ?? builder.Resource.Annotations.OfType<EndpointAnnotation>().Single().Name;
        var application = builder.ApplicationBuilder;
        application.Eventing.Subscribe<BeforeStartEvent>((_, _) =>
        {
            // 'aspire run --isolated' and tests ask for ports that disturb nobody, whatever the settings say.
            if (application.ExecutionContext.IsRunMode
                && (port.Number is null || application.Configuration.GetValue("DcpPublisher:RandomizePorts", false)))
            {
                builder.WithEndpoint(name, existing => existing.Port = FreePorts.Next(), createIfNotExists: false);
            }

            return Task.CompletedTask;
        });
        return builder
            .WithEndpoint(
                name,
                existing =>
                {
                    existing.Port = port.Number;
                    existing.IsProxied = false;
                },
                createIfNotExists: false)
            .WithAnnotation(new HostPortAnnotation(port, name));
    }
}
