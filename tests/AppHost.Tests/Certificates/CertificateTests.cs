using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Certificates;

public sealed class CertificateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("localhost")]
    [InlineData("<CHANGE_THIS>")]
    [InlineData("a.org; return 200")]
    [InlineData("../a.org")]
    [InlineData("a_b.org")]
    public void A_domain_that_no_certificate_can_have_is_refused(string domain) =>
        Assert.Contains(
            $"'{domain.ToLowerInvariant()}' is none", Assert.Throws<UserErrorException>(() => Read(domain)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Without_an_address_or_outside_of_Staging_and_Production_there_is_no_certificate()
    {
        Assert.Null(CertificateSettings.Read(new UvlhubOptions { Domain = "a.org" }, Checkout(EnvironmentProfile.Production)));
        Assert.Null(
            CertificateSettings.Read(
                new UvlhubOptions { Domain = "a.org", Certificate = new() { Email = "a@a.org" } }, Checkout(EnvironmentProfile.Development)));
    }

    [Fact]
    public async Task The_checkouts_templates_are_filled_outside_of_the_checkout()
    {
        _folder.Write("docker/nginx/nginx.prod.no-ssl.conf.template", "server_name {{domain}};");
        _folder.Write("docker/nginx/nginx.prod.ssl.conf.template", "server_name {{domain}}; return 301 https://{{domain}};");
        var folder = await WriteAsync("uvlhub.example.org");
        try
        {
            Assert.Equal("server_name uvlhub.example.org;", File.ReadAllText(Path.Combine(folder, "nginx.prod.no-ssl.conf")));
            Assert.Equal(
                "server_name uvlhub.example.org; return 301 https://uvlhub.example.org;",
                File.ReadAllText(Path.Combine(folder, "nginx.prod.ssl.conf")));
            Assert.DoesNotContain(_folder.Path, folder, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_checkout_without_templates_is_told_which_file_it_lacks() => Assert.Contains(
        "nginx.prod.no-ssl.conf.template", (
            await Assert.ThrowsAsync<UserErrorException>(() => WriteAsync("a.org"))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_deployment_is_asked_for_over_TLS_alone()
    {
        // 'ssl' in the name is no TLS.
        _folder.Write("docker/nginx/nginx.prod.no-ssl.conf.template", "server { listen 80; }");
        _folder.Write(
            "docker/nginx/nginx.prod.ssl.conf.template",
            "http { server { listen 80; server_name {{domain}}; } server {\n listen 443 ssl; location / { } } }");
        var folder = await WriteAsync("ssl.example.org", deploys: true);
        try
        {
            var written = File.ReadAllText(Path.Combine(folder, "nginx.prod.ssl.conf")).Split("listen 443");
            Assert.DoesNotContain("webhook", File.ReadAllText(Path.Combine(folder, "nginx.prod.no-ssl.conf")), StringComparison.Ordinal);
            Assert.Contains(
                "} server {\n\n        location = /webhook/deploy {\n            proxy_pass http://updater:9000;",
                written[0], StringComparison.Ordinal);
            Assert.DoesNotContain("webhook", written[1], StringComparison.Ordinal);
            Assert.DoesNotContain(
                "webhook", File.ReadAllText(Path.Combine(await WriteAsync("ssl.example.org"), "nginx.prod.ssl.conf")),
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private Task<string> WriteAsync(string domain, bool deploys = false) => TlsConfiguration.WriteAsync(
        Checkout(EnvironmentProfile.Production), new InstanceNames(null), domain, deploys, TestContext.Current.CancellationToken);

    private CertificateSettings? Read(string domain) => CertificateSettings.Read(
        new UvlhubOptions { Domain = domain, Certificate = new() { Email = "a@a.org" } }, Checkout(EnvironmentProfile.Production));

    private UvlhubCheckout Checkout(EnvironmentProfile profile)
    {
        _folder.Write("app/__init__.py", "");
        _folder.Write(".env", "");
        _folder.Write("docker/images/Dockerfile.dev", "FROM python:3.12-slim\n");
        _folder.Write("docker/images/Dockerfile.prod", "FROM python:3.12-slim\n");
        return UvlhubCheckout.Read(_folder.Path, profile);
    }
}
