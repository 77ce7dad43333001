using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds what updates a deployed site.</summary>
internal static class UpdaterBuilderExtensions
{
    private const string Socket = "/var/run/docker.sock";
    private const string Section = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Updates)}";

    /// <summary>
    /// Adds the service that deploys what the registry has, when uvlhub's webhook asks for it (<c>Uvlhub:Updates:Webhook</c>) or there is
    /// something newer (<c>Uvlhub:Updates:CheckEvery</c>). It alone has the engine's socket, it has no secret but the token, and nobody
    /// reaches it but nginx, by one path. Off by default, and never beside an AppHost.
    /// </summary>
    public static void AddUpdater(
        this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, IResourceBuilder<ContainerResource>? nginx)
    {
        var updates = uvlhub.Options.Updates;
        if (uvlhub.Images is not { } images || builder.ExecutionContext.IsRunMode
            || updates is { Webhook: false, CheckEvery.Ticks: 0 })
        {
            return;
        }

        if (string.IsNullOrEmpty(uvlhub.Options.Publish.Registry))
        {
            throw new UserErrorException(
                $"{Section} updates a server by the images of a registry, and there is none; set {UvlhubOptions.Section}:Publish:Registry, "
                + "such as ghcr.io/your-team");
        }

        if (updates.Webhook && (uvlhub.Certificate is null || nginx is null))
        {
            throw new UserErrorException(
                $"{Section}:{nameof(updates.Webhook)} takes a token, which is sent over TLS alone; set {CertificateSettings.EmailSetting}, or let "
                + $"the server look by itself ({Section}:{nameof(updates.CheckEvery)}=00:05:00)");
        }

        var updater = builder.AddResource(new FlaskResource(SwarmDeployments.Updater) { Role = FlaskRole.Updater })
            .WithBuiltImage(images.Migrator)
            .WithContainerRuntimeArgs(CheckoutContainer.Options(uvlhub.Checkout.WorkingDirectory))
            // Whoever the image is made for, root owns the socket.
            .WithContainerRuntimeArgs("--user", "0:0")
            .WithArgs("UvlhubRunner", "serve-updates", uvlhub.PublishedName)
            .WithVolume(Socket, Socket)
            .WithEnvironment(Variable(nameof(updates.Webhook)), updates.Webhook.ToString())
            .WithEnvironment(Variable(nameof(updates.CheckEvery)), updates.CheckEvery.ToString())
            .PublishedAs(PublishedKind.Updater);
        if (updates.Webhook)
        {
            // A secret, whatever its value is here.
            updater.WithEnvironment(SecretKeys.WebhookToken, uvlhub.Checkout.Environment.GetValueOrDefault(SecretKeys.WebhookToken, ""));
        }
    }

    private static string Variable(string setting) => $"{Section}:{setting}".Replace(":", "__", StringComparison.Ordinal);
}
