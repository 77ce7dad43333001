using UvlhubAspire.AppHost.Services;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Selenium;

public sealed class SeleniumTests
{
    [Fact]
    public async Task The_hub_has_the_grid_and_both_sides_of_its_event_bus()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Splent);
        Assert.Equal("selenium/hub:latest", (await model.FactsAsync("selenium-hub")).Image);
        Assert.Equal(
            (4444, 4442, 4443),
            (
                model.Endpoint("selenium-hub", "http").Port, model.Endpoint("selenium-hub", "publish").Port,
                model.Endpoint("selenium-hub", "subscribe").Port));
    }

    [Theory]
    [InlineData("chrome", 5900)]
    [InlineData("firefox", 5901)]
    public async Task A_browser_has_shared_memory_the_checkouts_variables_and_a_screen(string browser, int port)
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Splent, folder => folder.Write(".env.selenium", "SE_EVENT_BUS_HOST=selenium-hub\nVNC_NO_PASSWORD=1\n"));
        var node = await model.FactsAsync($"selenium-{browser}");
        Assert.Equal($"selenium/node-{browser}:latest", node.Image);
        Assert.Equal(["--shm-size", "2gb"], node.EngineOptions);
        Assert.Equal(("selenium-hub", "1"), (node.Environment["SE_EVENT_BUS_HOST"], node.Environment["VNC_NO_PASSWORD"]));
        Assert.Equal(
            (port, 5900), (model.Endpoint($"selenium-{browser}", "vnc").Port, model.Endpoint($"selenium-{browser}", "vnc").TargetPort));
        Assert.Equal(["selenium-hub (WaitUntilHealthy)"], model.Waits($"selenium-{browser}"));
    }

    [Fact]
    public async Task A_grid_that_the_checkout_does_not_declare_is_the_same()
    {
        await using var model = await EditionModel.CreateAsync(
            Edition.Course, change: null, "--Uvlhub:Services=+selenium-hub,+selenium-chrome");
        var node = await model.FactsAsync("selenium-chrome");
        Assert.Equal(["--shm-size", "2gb"], node.EngineOptions);
        Assert.Equal("selenium-hub", node.Environment["SE_EVENT_BUS_HOST"]);
        Assert.DoesNotContain("latest", node.Image, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web", "", "http://nginx")]
    [InlineData("rosemary", "", "http://nginx")]
    [InlineData("rosemary", "-nginx", "http://web:5000")]
    public async Task Tests_are_told_the_grid_and_an_address_that_its_browsers_can_resolve(string container, string services, string target)
    {
        await using var model = await EditionModel.CreateAsync(Edition.Splent, change: null, $"--Uvlhub:Services={services}");
        var environment = (await model.FactsAsync(container)).Environment;
        Assert.Equal(("http://selenium-hub:4444", target), (environment["SELENIUM_GRID_URL"], environment["SELENIUM_TARGET_URL"]));
    }

    [Fact]
    public async Task Without_a_grid_tests_start_a_browser_of_their_own()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Course);
        Assert.DoesNotContain("SELENIUM_GRID_URL", (await model.FactsAsync("web")).Environment.Keys);
    }

    [Theory]
    [InlineData("""{ "value": { "ready": true, "nodes": [ { "availability": "UP", "slots": [ { "stereotype": { "browserName": "chrome" } } ] } ] } }""", true)]
    [InlineData("""{ "value": { "ready": true, "nodes": [ { "availability": "DOWN", "slots": [ { "stereotype": { "browserName": "chrome" } } ] } ] } }""", false)]
    [InlineData("""{ "value": { "ready": true, "nodes": [ { "slots": [ { "stereotype": { "browserName": "firefox" } } ] } ] } }""", false)]
    [InlineData("""{ "value": { "ready": false, "message": "Selenium Grid not ready.", "nodes": [] } }""", false)]
    [InlineData("{}", false)]
    public void A_browser_is_ready_when_the_hub_knows_it(string status, bool ready) =>
        Assert.Equal(ready, GridNodeHealthCheck.Knows(status, "chrome"));
}
