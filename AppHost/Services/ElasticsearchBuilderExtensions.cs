using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds the search engine.</summary>
internal static class ElasticsearchBuilderExtensions
{
    private const string DataFolder = "/usr/share/elasticsearch/data";

    /// <summary>Elasticsearch.</summary>
    public static KnownService Elasticsearch { get; } = new(
        "elasticsearch", "elasticsearch_container", "docker.elastic.co/elasticsearch/elasticsearch:8.18.4")
    {
        Ports = [new("Elasticsearch", 9200, "http") { Scheme = "http" }],
    };

    /// <summary>
    /// Adds Elasticsearch as one node without security, its index in a volume of the checkout's own. It is healthy when the
    /// cluster answers. Nothing waits for it: the application works without, and no stand-in exists where its registry does
    /// not answer.
    /// </summary>
    /// <returns>The search engine's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddElasticsearchNode(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub)
    {
        if (builder.AddService(uvlhub, Elasticsearch) is not { } node)
        {
            return null;
        }

        node
            .WithHttpHealthCheck("/_cluster/health", endpointName: "http")
            .WithIconName("Search");

        var declared = uvlhub.Compose?.Service(Elasticsearch.Name);
        var volume = declared?.Mounts.FirstOrDefault(mount => mount.Target == DataFolder)?.Source ?? "es_data";
        node.WithCheckoutVolume(uvlhub.Names.ServiceVolume(volume, uvlhub.Checkout.Name), DataFolder);

        return declared is not null ? node : node
            .WithEnvironment("discovery.type", "single-node")
            .WithEnvironment("xpack.security.enabled", "false")
            .WithEnvironment("xpack.security.transport.ssl.enabled", "false")
            .WithEnvironment("ES_JAVA_OPTS", "-Xms512m -Xmx512m");
    }
}
