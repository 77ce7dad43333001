using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Uvlhub;

namespace UvlhubAspire.AppHost.Mailhog;

/// <summary>Adds the mail server that keeps every mail to itself.</summary>
internal static class MailhogBuilderExtensions
{
    private const string Image = "mailhog/mailhog:v1.0.1";
    private const string PageEndpointName = "http";
    private const string MailEndpointName = "smtp";

    /// <summary>Adds Mailhog: the site sends to its port 1025, and its page shows what was sent.</summary>
    /// <param name="builder">The application that is being built.</param>
    /// <param name="name">The resource's name; also the service's.</param>
    /// <param name="uvlhub">The checkout and the settings.</param>
    /// <returns>The mail server's builder; <see langword="null"/> if the checkout runs without.</returns>
    public static IResourceBuilder<ContainerResource>? AddMailhog(this IDistributedApplicationBuilder builder, [ResourceName] string name, UvlhubEnvironment uvlhub) =>
        !uvlhub.Services.Includes(name) ? null : builder.AddService(name, uvlhub, Image, "maildev", "mailhog_container")
            .WithHttpEndpoint(targetPort: 8025, name: PageEndpointName)
            .WithHostPort(uvlhub.Ports.Mailhog, PageEndpointName)
            .WithEndpoint(targetPort: 1025, name: MailEndpointName, scheme: "smtp")
            .WithHostPort(uvlhub.Ports.Smtp, MailEndpointName)
            .WithHttpHealthCheck("/", endpointName: PageEndpointName)
            .WithIconName("Mail");
}
