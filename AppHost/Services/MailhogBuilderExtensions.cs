using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds the mail server that keeps every mail to itself.</summary>
internal static class MailhogBuilderExtensions
{
    /// <summary>Mailhog: the site sends to its port 1025, and its page shows what was sent.</summary>
    public static KnownService Mailhog { get; } = new("mailhog", "mailhog_container", "mailhog/mailhog:v1.0.1", "maildev")
    {
        Ports = [new("Mailhog", 8025, "http") { Scheme = "http" }, new("Smtp", 1025, "smtp") { Scheme = "smtp" }],
    };

    /// <summary>Adds Mailhog.</summary>
    /// <returns>The mail server's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddMailhog(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub) =>
        builder.AddService(uvlhub, Mailhog)?
            .WithHttpHealthCheck("/", endpointName: "http")
            .WithIconName("Mail");
}
