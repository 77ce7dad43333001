using Xunit;

namespace UvlhubAspire.AppHost.Tests.Elasticsearch;

public sealed class ElasticsearchTests
{
    [Fact]
    public async Task It_is_one_node_with_its_index_in_a_volume_of_the_checkouts_own()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso);
        var node = await model.FactsAsync("elasticsearch");
        Assert.Equal("docker.elastic.co/elasticsearch/elasticsearch:8.18.4", node.Image);
        Assert.Equal("single-node", node.Environment["discovery.type"]);
        Assert.Equal("-Xms512m -Xmx512m", node.Environment["ES_JAVA_OPTS"]);
        Assert.Equal((9200, 9200), (model.Endpoint("elasticsearch", "http").Port, model.Endpoint("elasticsearch", "http").TargetPort));
        Assert.Equal(
            ($"es_data_{Path.GetFileName(model.Folder)}", "/usr/share/elasticsearch/data"),
            node.Mounts.Select(mount => (mount.Source, mount.Target)).Single());
    }

    [Fact]
    public async Task A_checkout_that_does_not_declare_it_gets_the_same()
    {
        await using var declared = await EditionModel.CreateAsync(Edition.Diverso);
        await using var added = await EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Services=+elasticsearch");
        var (first, second) = (await declared.FactsAsync("elasticsearch"), await added.FactsAsync("elasticsearch"));
        Assert.Equal(first.Image, second.Image);
        Assert.Equal(first.Environment, second.Environment);
    }

    [Fact]
    public async Task Nothing_waits_for_it()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso);
        Assert.All(
            model.Containers,
            container => Assert.DoesNotContain(model.Waits(container), wait => wait.StartsWith("elasticsearch", StringComparison.Ordinal)));
    }
}
