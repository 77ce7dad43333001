using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.DependencyInjection;
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
    [InlineData("MASTER_KEY", "x", true)]
    [InlineData("MAIL_PASS", "x", true)]
    [InlineData("SMTP_PWD", "x", true)]
    [InlineData("SECURITY_PASSWORD_SALT", "x", true)]
    [InlineData("SENTRY_DSN", "https://key@host/1", true)]
    [InlineData("GITHUB_PAT", "x", true)]
    [InlineData("SLACK_WEBHOOK_URL", "https://hooks/1", true)]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", "x-otlp-api-key=x", true)]
    [InlineData("REDIS_URL", "redis://:hunter2@redis:6379/0", true)]
    [InlineData("DATABASE", "Server=db;Pwd=a-known-password", true)]
    [InlineData("MARIADB_PASSWORD", "", false)]
    [InlineData("MARIADB_USER", "uvlhubdb_user", false)]
    [InlineData("SELENIUM_GRID_URL", "http://selenium-hub:4444", false)]
    [InlineData("KEYBOARD_LAYOUT", "es", false)]
    [InlineData("BYPASS_CACHE", "1", false)]
    [InlineData("FLASK_APP_NAME", "a short name", false)]
    public void A_variable_is_secret_by_its_name_or_by_what_is_in_its_value(string name, string value, bool isSecret) =>
        Assert.Equal(isSecret, SecretVariables.IsSecret(name, value, s_secrets, SecretKeys.LooksSecret));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Its_files_are_its_own_and_gone_in_the_end_even_if_somebody_has_taken_their_folder(bool folderIsGone)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var user = new TemporaryFolder();
        var folder = Path.Combine(user.Path, "containers");
        // Another AppHost's, which runs, and one's that was killed.
        using var other = Process.Start(new ProcessStartInfo("sleep", "60"))!;
        var others = Path.Combine(folder, $"{other.Id}", "one.env");
        var killed = Path.Combine(folder, $"{int.MaxValue}", "one.env");
        foreach (var file in (string[])[others, killed])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, "KEY=of another", cancellation);
        }

        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true });
        var container = builder.AddContainer("one", "image").Resource;
        await using var application = builder.Build();
        var variables = new SecretVariables(
            application.Services.GetRequiredService<ResourceNotificationService>(), SecretKeys.LooksSecret, folder);
        var eventing = new DistributedApplicationEventing();
        await variables.SubscribeAsync(eventing, builder.ExecutionContext, cancellation);
        await eventing.PublishAsync(
            new BeforeStartEvent(application.Services, application.Services.GetRequiredService<DistributedApplicationModel>()),
            cancellation);
        List<object> arguments = [];
        foreach (var asked in container.Annotations.OfType<ContainerRuntimeArgsCallbackAnnotation>())
        {
            await asked.Callback(new ContainerRuntimeArgsCallbackContext(arguments, cancellation));
        }

        Assert.True(File.Exists((string)arguments[^1]));
        Assert.Equal("KEY=of another", await File.ReadAllTextAsync(others, cancellation));
        Assert.False(Directory.Exists(Path.GetDirectoryName(killed)));
        other.Kill();
        if (folderIsGone)
        {
            Directory.Delete(folder, recursive: true);
        }

        await variables.StopAsync(cancellation);

        Assert.False(File.Exists((string)arguments[^1]));
    }
}
