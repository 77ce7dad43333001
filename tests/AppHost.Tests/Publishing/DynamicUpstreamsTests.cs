using UvlhubAspire.AppHost.Services;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests.Publishing;

public sealed class DynamicUpstreamsTests
{
    [Fact]
    public void An_upstream_of_one_server_becomes_a_name_that_is_looked_up_while_nginx_runs()
    {
        var text = DynamicUpstreams.Rewrite(
            "events {}\n\nhttp {\n    upstream web {\n        server web:5000;\n    }\n    server {\n        location / {\n            "
            + "proxy_pass http://web;\n        }\n    }\n}\n");
        Assert.Equal(
            "events {}\n\nhttp {\n    resolver 127.0.0.11 valid=1s ipv6=off;\n    resolver_timeout 5s;\n    proxy_connect_timeout 2s;\n\n "
            + "   server {\n        location / {\n            set $uvlhub_upstream web:5000;\n            proxy_pass "
            + "http://$uvlhub_upstream;\n        }\n    }\n}\n",
            text);
    }

    [Theory]
    [InlineData("http {\n    server {\n        location /static { root /srv; }\n    }\n}\n")]
    [InlineData("http {\n    server {\n        location /api/ {\n            proxy_pass http://web:5000/v1/;\n        }\n    }\n}\n")]
    public void What_it_does_not_understand_stays_as_it_is(string configuration) =>
        Assert.Equal(configuration, DynamicUpstreams.Rewrite(configuration));

    [Fact]
    public void An_upstream_of_several_servers_stays_and_is_found_by_its_name()
    {
        var text = DynamicUpstreams.Rewrite(
            "http {\n    upstream web {\n        server a:5000;\n        server b:5000;\n    }\n    server {\n        location / {\n      "
            + "      proxy_pass http://web;\n        }\n    }\n}\n");
        Assert.Contains("upstream web {\n        server a:5000;\n        server b:5000;\n    }", text, StringComparison.Ordinal);
        Assert.Contains("set $uvlhub_upstream web;", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_to_connect_that_the_checkout_gives_is_kept()
    {
        var text = DynamicUpstreams.Rewrite(
            "http {\n    proxy_connect_timeout 9s;\n    server {\n        location / {\n            proxy_pass http://web:5000;\n        "
            + "}\n    }\n}\n");
        Assert.Contains("proxy_connect_timeout 9s;", text, StringComparison.Ordinal);
        Assert.DoesNotContain("proxy_connect_timeout 2s;", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_samples_own_configuration_is_understood() =>
        Assert.DoesNotContain(
            "upstream web {",
            DynamicUpstreams.Rewrite(File.ReadAllText(Path.Combine(RepositoryFolder.BundledSample, "docker/nginx/nginx.prod.conf"))),
            StringComparison.Ordinal);
}
