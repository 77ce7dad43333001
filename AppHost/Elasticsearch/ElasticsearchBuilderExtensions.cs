using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.AppHost.Volumes;

namespace UvlhubAspire.AppHost.Elasticsearch;

/// <summary>Adds the search engine.</summary>
internal static class ElasticsearchBuilderExtensions
{
    private const string Image = "docker.elastic.co/elasticsearch/elasticsearch:8.18.4";
    private const string DataFolder = "/usr/share/elasticsearch/data";
    private const string HttpEndpointName = "http";

    /// <summary>
    /// Adds Elasticsearch as one node without security, its index in a volume of the checkout's own. It is healthy when the
    /// cluster answers. Nothing waits for it: the application works without, and no stand-in exists where its registry does
    /// not answer.
    /// </summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name; also the service's.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <returns>The search engine's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddElasticsearchNode(
        this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub)
    {
        if (!uvlhub.Services.Includes(name))
        {
            return null;
        }

        var declared = uvlhub.Compose?.Service(name);
        var node = builder.AddService(name, uvlhub, Image, standIn: null, "elasticsearch_container")
            .WithHttpEndpoint(targetPort: 9200, name: HttpEndpointName)
            .WithHostPort(uvlhub.Ports.Elasticsearch)
            .WithHttpHealthCheck("/_cluster/health", endpointName: HttpEndpointName)
            .WithIconName("Search");

        var volume = declared?.Mounts.FirstOrDefault(mount => mount.Target == DataFolder)?.Source ?? "es_data";
        node.WithCheckoutVolume(uvlhub, uvlhub.Names.ServiceVolume(volume, uvlhub.Checkout.Name), DataFolder);

        return declared is not null ? node : node
            .WithEnvironment("discovery.type", "single-node")
            .WithEnvironment("xpack.security.enabled", "false")
            .WithEnvironment("xpack.security.transport.ssl.enabled", "false")
            .WithEnvironment("ES_JAVA_OPTS", "-Xms512m -Xmx512m");
    }
}
