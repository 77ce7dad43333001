using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Adds the web server in front of the site.</summary>
internal static class NginxBuilderExtensions
{
    private const string HttpEndpointName = "http";
    private const string HttpsEndpointName = "https";
    private const string AtOnce = "nginx starts before the site does, with its page for 502";

    /// <summary>nginx.</summary>
    public static KnownService Nginx { get; } = new("nginx", "nginx_web_server_container", "nginx:1.29.1", "nginx")
    {
        Ports = [new("Nginx", 80, HttpEndpointName) { Scheme = "http" }],
    };

    /// <summary>Where the image reads its configuration from.</summary>
    public const string ConfigurationFile = "/etc/nginx/nginx.conf";

    /// <summary>
    /// Adds nginx with the checkout's own configuration and pages, on port 80 of the host. It waits for nothing: its page
    /// for 502 is there from the first second, while the schema is migrated and Flask boots.
    /// </summary>
    /// <returns>The web server's builder; <see langword="null"/> if the checkout runs without.</returns>
    /// <exception cref="UserErrorException">A file that is mounted into it does not exist.</exception>
    public static IResourceBuilder<ContainerResource>? AddNginx(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub)
    {
        if (builder.AddService(uvlhub, Nginx) is not { } nginx)
        {
            return null;
        }

        if (uvlhub.Certificate is { } tls)
        {
            // Before anybody reads nginx's configuration: whoever publishes it, or looks for upstreams in it.
            builder.Eventing.Subscribe<BeforeStartEvent>((_, cancellationToken) => TlsConfiguration.WriteAsync(
                uvlhub.Checkout, uvlhub.Names, tls.Domain, uvlhub.Options.Updates.Webhook, cancellationToken));
        }

        var mounts = Mounts(uvlhub, Nginx.Name).ToList();
        nginx
            .WithContainerRuntimeArgs("--security-opt", "no-new-privileges")
            .PublishedAs(PublishedKind.Gateway)
            .DiffersFromCompose(DriftAspect.Command, AtOnce)
            .DiffersFromCompose(DriftAspect.Environment, AtOnce, Upstreams.Variable)
            .DiffersFromCompose(DriftAspect.DependsOn, AtOnce)
            .DiffersFromCompose(DriftAspect.Volume, "a web server only reads the checkout", "read-only")
            .WithIconName("ArrowRouting");
        nginx.WithSiteRelationship().WithCertificate(uvlhub).OpenTo(uvlhub).AsTheSitesAddress(uvlhub);
        foreach (var mount in mounts)
        {
            nginx.WithCheckoutMount(mount.Source!, mount.Target, isReadOnly: true);
        }

        return nginx
            .WithHealthCheck(_ => new NginxHealthCheck(() => new Uri(nginx.GetEndpoint(HttpEndpointName).Url)))
            .WithUpstreams(new Upstreams(
            mounts.Where(mount => mount.Target.StartsWith(Upstreams.Folder, StringComparison.Ordinal)).Select(mount => mount.Source!)));
    }

    private static IResourceBuilder<ContainerResource> WithCertificate(
        this IResourceBuilder<ContainerResource> nginx, UvlhubEnvironment uvlhub) => uvlhub.Certificate is not { } tls ? nginx
        : nginx
            .WithHttpsEndpoint(targetPort: 443, name: HttpsEndpointName)
            .WithCheckoutVolume(uvlhub.Names.CertificatesVolume(uvlhub.Checkout.Name), TlsConfiguration.Certificates, isReadOnly: true)
            .WithCheckoutVolume(uvlhub.Names.WebrootVolume(uvlhub.Checkout.Name), TlsConfiguration.Webroot, isReadOnly: true)
            .WithArgs(context => Prepend(context, TlsConfiguration.Before(tls.Domain)));

    // Everything else stays on the loopback address, whatever is set.
    private static IResourceBuilder<ContainerResource> OpenTo(this IResourceBuilder<ContainerResource> nginx, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.Options.OpenTo == Audience.Network)
        {
            foreach (var endpoint in nginx.Resource.Annotations.OfType<EndpointAnnotation>())
            {
                endpoint.TargetHost = "0.0.0.0";
            }
        }

        return nginx;
    }

    private static IResourceBuilder<ContainerResource> AsTheSitesAddress(
        this IResourceBuilder<ContainerResource> nginx, UvlhubEnvironment uvlhub)
    {
        var address = new PublicAddressAnnotation(() => new Uri(nginx.GetEndpoint(HttpEndpointName).Url), IsPeoples: uvlhub.Images is not null);
        foreach (var site in nginx.ApplicationBuilder.Resources.OfType<FlaskResource>().Where(flask => flask.IsSite))
        {
            var builder = nginx.ApplicationBuilder.CreateResourceBuilder(site).WithAnnotation(address);
            if (address.IsPeoples)
            {
                builder.WithUrls(context =>
                {
                    foreach (var own in context.Urls)
                    {
                        own.DisplayLocation = UrlDisplayLocation.DetailsOnly;
                    }

                    context.Urls.Insert(0, new ResourceUrlAnnotation { Url = address.Address(), DisplayText = "site" });
                });
            }
        }

        return nginx;
    }

    private static void Prepend(CommandLineArgsCallbackContext context, IReadOnlyList<string> words)
    {
        List<object> command = [.. words, .. context.Args.Count > 0 ? context.Args : [.. Upstreams.Command]];
        context.Args.Clear();
        foreach (var word in command)
        {
            context.Args.Add(word);
        }
    }

    private static IResourceBuilder<ContainerResource> WithUpstreams(this IResourceBuilder<ContainerResource> nginx, Upstreams upstreams)
    {
        var builder = nginx.ApplicationBuilder;
        if (builder.ExecutionContext.IsPublishMode)
        {
            // There nobody watches over it: its configuration is published so that it looks the names up by itself.
            return nginx;
        }

        nginx.WithAnnotation(new UpstreamsAnnotation(upstreams));
        builder.Services.AddSingleton<NginxReload>();
        builder.Services.AddSingleton<IHostedService>(
            services => ActivatorUtilities.CreateInstance<UpstreamRefresh>(services, nginx.Resource, upstreams));
        return nginx
            .WithEnvironment(context => context.EnvironmentVariables[Upstreams.Variable] =
                string.Join(' ', builder.Resources.Where(resource => resource != nginx.Resource).SelectMany(upstreams.NamesOf)))
            .WithArgs(context => Prepend(context, Upstreams.Before));
    }

    private static IEnumerable<ComposeMount> Mounts(UvlhubEnvironment uvlhub, string name)
    {
        var folder = Path.Combine(uvlhub.Checkout.Path, "docker", "nginx");
        var nowhere = new SourceLine(folder, 0);
        IEnumerable<ComposeMount> mounts = uvlhub.Compose?.Service(name) is { } declared
            ? declared.Mounts.Where(mount => mount.Kind == ComposeMountKind.Bind && !EngineSocket.Is(mount.Source))
            :
            [
                new(
                    ComposeMountKind.Bind, Path.Combine(folder, uvlhub.Profile.NginxConfiguration), ConfigurationFile, IsReadOnly: true,
                    nowhere),
                new(ComposeMountKind.Bind, Path.Combine(folder, "html"), "/usr/share/nginx/html", IsReadOnly: true, nowhere),
            ];
        foreach (var mount in mounts.Where(mount => uvlhub.Certificate is null || mount.Target != ConfigurationFile))
        {
            if (!Path.Exists(mount.Source))
            {
                // The engine would make a folder of that name, as root, inside the checkout.
                const string remedy = "put it there, or run without nginx: --Uvlhub:Services=-nginx";
                throw mount.At.Line > 0
                    ? new UserErrorException($"{name}: there is no {mount.Source}; {remedy}", mount.At.File, mount.At.Line)
                    : new UserErrorException($"{name}: there is no {mount.Source}; {remedy}");
            }

            yield return mount;
        }

        if (uvlhub.Certificate is { } tls)
        {
            // The two that are made of the checkout's templates, in place of the one without TLS.
            var own = TlsConfiguration.OwnFolder(uvlhub.Checkout, uvlhub.Names, tls.Domain);
            yield return new ComposeMount(ComposeMountKind.Bind, own, TlsConfiguration.Folder, IsReadOnly: true, nowhere);
        }
    }
}
