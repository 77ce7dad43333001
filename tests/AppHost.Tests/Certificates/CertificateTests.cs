using UvlhubAspire.AppHost.Production;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Checkout;
using UvlhubAspire.Engine;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Certificates;

public sealed class CertificateTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_certificate_is_due_when_there_is_none_or_it_is_about_to_end()
    {
        Assert.True(new CertificateState().IsDue(s_now, Settings()));
        Assert.True(new CertificateState { Ends = s_now.AddDays(30) }.IsDue(s_now, Settings()));
        Assert.False(new CertificateState { Ends = s_now.AddDays(31) }.IsDue(s_now, Settings()));
    }

    [Theory]
    [InlineData(90, 12)]
    [InlineData(30.25, 6)]
    public void It_is_looked_at_twice_a_day_and_when_it_becomes_due(double endsInDays, double nextInHours) =>
        Assert.Equal(s_now.AddHours(nextInHours), new CertificateState { Ends = s_now.AddDays(endsInDays) }.NextLook(s_now, Settings()));

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 10)]
    [InlineData(4, 40)]
    [InlineData(50, 360)]
    public void After_failures_the_authority_is_left_alone_longer_and_longer(int failures, double nextInMinutes) =>
        Assert.Equal(
            s_now.AddMinutes(nextInMinutes), new CertificateState { Failures = failures, Failure = "no" }.NextLook(s_now, Settings()));

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
        Assert.Null(TlsSettings.Read(new UvlhubOptions { Domain = "a.org" }, Checkout(EnvironmentProfile.Production)));
        Assert.Null(
            TlsSettings.Read(
                new UvlhubOptions { Domain = "a.org", Tls = new() { Email = "a@a.org" } }, Checkout(EnvironmentProfile.Development)));
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
                "} server {\n\n        location = /webhook/deploy {\n            proxy_pass http://unix:/etc/nginx/uvlhub/deploy.sock;",
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

    private static TlsSettings Settings() => new()
    {
        Domain = "a.org",
        Email = "a@a.org",
        Authority = null,
        RenewBefore = TimeSpan.FromDays(30),
        CheckEvery = TimeSpan.FromHours(12),
    };

    private TlsSettings? Read(string domain) => TlsSettings.Read(
        new UvlhubOptions { Domain = domain, Tls = new() { Email = "a@a.org" } }, Checkout(EnvironmentProfile.Production));

    private UvlhubCheckout Checkout(EnvironmentProfile profile)
    {
        _folder.Write("app/__init__.py", "");
        _folder.Write(".env", "");
        _folder.Write("docker/images/Dockerfile.dev", "FROM python:3.12-slim\n");
        _folder.Write("docker/images/Dockerfile.prod", "FROM python:3.12-slim\n");
        return UvlhubCheckout.Read(_folder.Path, profile);
    }
}
