using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Services;

public sealed class ServiceSelectionTests
{
    private static readonly string[] s_optional = [.. ServiceSelection.Optional];

    [Theory]
    [InlineData(Edition.Course, "nginx,locust")]
    [InlineData(Edition.Splent, "nginx,selenium-hub,selenium-chrome,selenium-firefox,locust")]
    [InlineData(Edition.Diverso, "nginx,redis,worker,elasticsearch,mailhog,selenium-hub,selenium-chrome,selenium-firefox,locust")]
    public async Task Each_edition_runs_what_its_compose_file_declares(string edition, string services)
    {
        await using var model = await EditionModel.CreateAsync(edition);
        Assert.Equal(["db", "rosemary", "web", .. services.Split(',')], model.Containers);
    }

    [Fact]
    public async Task The_setting_adds_and_takes_away()
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Splent, change: null, "--Uvlhub:Services=+adminer, -selenium-firefox -locust");
        Assert.Contains("adminer", model.Containers);
        Assert.Contains("selenium-chrome", model.Containers);
        Assert.DoesNotContain("selenium-firefox", model.Containers);
        Assert.DoesNotContain("locust", model.Containers);
    }

    [Fact]
    public async Task A_name_without_a_sign_makes_the_list_the_whole_selection()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso, change: null, "--Uvlhub:Services=redis,worker");
        Assert.Equal(["db", "redis", "rosemary", "web", "worker"], model.Containers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_service_that_the_fork_adds_can_be_left_out()
    {
        await using var without = await EditionModel.CreateAsync(Edition.Course, WithBot, "--Uvlhub:Services=-bot");
        await using var with = await EditionModel.CreateAsync(Edition.Course, WithBot);
        Assert.DoesNotContain("bot", without.Containers);
        Assert.Contains("bot", with.Containers);

        static void WithBot(TemporaryFolder folder) =>
            folder.Write("docker/docker-compose.dev.yml", "services: { web: { image: web }, db: { image: mariadb }, bot: { image: bot } }");
    }

    [Fact]
    public async Task An_unknown_service_is_an_error_with_the_known_names()
    {
        var exception = await Assert.ThrowsAsync<UserErrorException>(
            () => EditionModel.CreateAsync(Edition.Course, change: null, "--Uvlhub:Services=+redos"));
        Assert.Equal(
            "Uvlhub:Services names 'redos', which is no service of this checkout; known are adminer, db, elasticsearch, locust, mailhog, "
            + "nginx, redis, selenium-chrome, selenium-firefox, selenium-hub, web, worker",
            exception.Message);
    }

    [Theory]
    [InlineData("-web", "Uvlhub:Services takes web away; without it there is no uvlhub")]
    [InlineData("-selenium-hub", "Uvlhub:Services: selenium-chrome needs selenium-hub; take both (+selenium-hub) or neither (-selenium-chrome)")]
    [InlineData("worker", "Uvlhub:Services: worker needs redis; take both (+redis) or neither (-worker)")]
    public async Task A_selection_that_cannot_work_says_what_is_missing(string setting, string message)
    {
        var exception = await Assert.ThrowsAsync<UserErrorException>(
            () => EditionModel.CreateAsync(Edition.Splent, change: null, $"--Uvlhub:Services={setting}"));
        Assert.Equal(message, exception.Message);
    }

    [Theory]
    [InlineData(Edition.Diverso, "")]
    [InlineData(Edition.Diverso, "teamA_")]
    public async Task Containers_have_the_names_that_compose_gives_them(string edition, string prefix)
    {
        await using var model = await EditionModel.CreateAsync(
            edition, change: null, "--Uvlhub:Services=+adminer", $"--Uvlhub:Instance={prefix.TrimEnd('_')}");
        var names = await Task.WhenAll(s_optional.Select(async service => (await model.FactsAsync(service)).ContainerName));
        string[] expected =
        [
            "adminer_container", "elasticsearch_container", "locust_container", "mailhog_container", "nginx_web_server_container",
            "redis_container", "selenium_chrome_container", "selenium_firefox_container", "selenium_hub_container", "rq_worker_container",
        ];
        Assert.Equal(expected.Select(name => prefix + name), names);
    }

    [Fact]
    public async Task A_port_and_an_image_that_a_fork_has_changed_hold()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course, folder => folder.Write("docker/docker-compose.dev.yml", """
            services:
              web: { image: web }
              db: { image: mariadb, ports: [ "3307:3306" ] }
              redis: { image: "registry.example.org/team/redis:7", command: redis-server --appendonly yes, mem_limit: 64m }
            """));
        var redis = await model.FactsAsync("redis");
        Assert.Equal(3307, model.Endpoint("db", "tcp").Port);
        Assert.Equal("registry.example.org/team/redis:7", redis.Image);
        Assert.Equal(["redis-server", "--appendonly", "yes"], redis.Arguments);
        Assert.Equal(["--memory", "64m", "--security-opt", "no-new-privileges"], redis.EngineOptions);
    }
}
