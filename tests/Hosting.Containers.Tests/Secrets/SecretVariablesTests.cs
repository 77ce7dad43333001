using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.Hosting.Containers.Tests.Secrets;

public sealed class SecretVariablesTests
{
    private static readonly string[] s_secrets = ["a-known-password", "short"];

    [Theory]
    [InlineData("SECRET_KEY", "x", true)]
    [InlineData("WEBHOOK_TOKEN", "x", true)]
    [InlineData("MARIADB_ROOT_PASSWORD", "x", true)]
    [InlineData("SENDGRID_API_KEY", "x", true)]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "x-otlp-api-key=x", true)]
    [InlineData("REDIS_URL", "redis://:hunter2@redis:6379/0", true)]
    [InlineData("DATABASE", "Server=db;Pwd=a-known-password", true)]
    [InlineData("MARIADB_PASSWORD", "", false)]
    [InlineData("MARIADB_USER", "uvlhubdb_user", false)]
    [InlineData("SELENIUM_GRID_URL", "http://selenium-hub:4444", false)]
    [InlineData("FLASK_APP_NAME", "a short name", false)]
    public void A_variable_is_secret_by_its_name_or_by_what_is_in_its_value(string name, string value, bool isSecret) =>
        Assert.Equal(isSecret, SecretVariables.IsSecret(name, value, s_secrets, SecretKeys.LooksSecret));
}
