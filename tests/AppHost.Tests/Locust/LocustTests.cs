using Aspire.Hosting.ApplicationModel;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Locust;

public sealed class LocustTests
{
    [Fact]
    public async Task It_is_built_from_the_checkouts_dockerfile_and_started_by_hand()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course);
        var locust = await model.FactsAsync("locust");
        Assert.Equal(
            (Path.Combine(model.Folder, "docker/images/Dockerfile.locust"), model.Folder),
            (locust.Origin?.CheckoutBuild?.Dockerfile, locust.Origin?.CheckoutBuild?.Context));
        Assert.Equal(["locustio/locust"], locust.Origin?.BaseImages!);
        Assert.Single(locust.Resource.Annotations.OfType<ExplicitStartupAnnotation>());
        Assert.Equal(8089, model.Endpoint("locust", "http").Port);
    }

    [Theory]
    [InlineData("", "http://nginx")]
    [InlineData("-nginx", "http://web:5000")]
    public async Task It_loads_the_site_by_an_address_that_containers_know(string services, string address)
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, change: null, $"--Uvlhub:Services={services}");
        Assert.Equal(address, (await model.FactsAsync("locust")).Environment["LOCUST_HOST"]);
    }

    [Fact]
    public async Task A_checkout_without_its_dockerfile_has_none()
    {
        static void Remove(TemporaryFolder folder) => File.Delete(Path.Combine(folder.Path, "docker/images/Dockerfile.locust"));

        await using var model = await EditionModel.CreateAsync(Edition.Course, Remove);
        Assert.DoesNotContain("locust", model.Containers);

        var exception = await Assert.ThrowsAsync<UserErrorException>(
            () => EditionModel.CreateAsync(Edition.Course, Remove, "--Uvlhub:Services=+locust"));
        Assert.Contains("docker/images/Dockerfile.locust to build it from", exception.Message, StringComparison.Ordinal);
    }
}
