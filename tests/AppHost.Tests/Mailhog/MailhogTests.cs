using Xunit;

namespace UvlhubAspire.AppHost.Tests.Mailhog;

public sealed class MailhogTests
{
    [Fact]
    public async Task It_has_a_page_and_a_mail_server()
    {
        await using var model = await EditionModel.CreateAsync(Edition.Diverso);
        Assert.Equal((8025, 8025), (model.Endpoint("mailhog", "http").Port, model.Endpoint("mailhog", "http").TargetPort));
        Assert.Equal((1025, 1025), (model.Endpoint("mailhog", "smtp").Port, model.Endpoint("mailhog", "smtp").TargetPort));
        Assert.Equal("mailhog/mailhog:latest", (await model.FactsAsync("mailhog")).Image);
    }
}
