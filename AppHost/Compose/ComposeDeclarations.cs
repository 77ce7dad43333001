using System.Net.Sockets;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>Gives a container what a service of the compose file declares: variables, ports, mounts, names.</summary>
/// <param name="builder">The application that is being built.</param>
/// <param name="uvlhub">The checkout and the settings.</param>
/// <param name="file">The compose file.</param>
/// <param name="findings">Takes what cannot be taken over.</param>
internal sealed class ComposeDeclarations(
    IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, ComposeFile file, ComposeFindings findings)
{
    /// <summary>
    /// Gives a container the variables of the service: those of its files, then its own. Where the checkout's settings
    /// are among the files, what the model computes stands above it.
    /// </summary>
    public void AddEnvironment(IResourceBuilder<ContainerResource> container, ComposeService service)
    {
        var usesCheckoutsFile = service.EnvironmentFiles.Any(env => uvlhub.Checkout.IsEnvironmentFile(env.Path));
        var files = Files(service);
        container.WithEnvironment(context =>
        {
            foreach (var (name, value) in files.SelectMany(variables => variables))
            {
                context.EnvironmentVariables[name] = value;
            }

            if (usesCheckoutsFile && builder.Resources.OfType<MariaDBServerResource>().FirstOrDefault() is { } server)
            {
                FlaskBuilderExtensions.SetDatabaseEnvironment(context.EnvironmentVariables, uvlhub, server);
            }

            foreach (var (name, value) in ServiceVariables.Own(uvlhub, service))
            {
                context.EnvironmentVariables[name] = value;
            }
        });
    }

    /// <summary>
    /// Adds the variables of the service that a container of the model does not have yet. A value that only comes from the
    /// checkout's <c>.env</c> gives way to the service's own; what the model computes stays.
    /// </summary>
    public void AddMissingEnvironment(IResourceBuilder<ContainerResource> container, ComposeService service)
    {
        List<KeyValuePair<string, string>> declared =
        [
            .. Files(service).Where(variables => variables != uvlhub.Checkout.Environment).SelectMany(variables => variables),
            .. ServiceVariables.Own(uvlhub, service),
        ];
        if (declared.Count == 0)
        {
            return;
        }

        container.WithEnvironment(context =>
        {
            foreach (var (name, value) in declared)
            {
                if (!context.EnvironmentVariables.TryGetValue(name, out var current)
                    || (current is string text && text == uvlhub.Checkout.Environment.GetValueOrDefault(name)))
                {
                    context.EnvironmentVariables[name] = value;
                }
            }
        });
    }

    private IReadOnlyList<IReadOnlyDictionary<string, string>> Files(ComposeService service) => ServiceVariables.OfFiles(
        uvlhub, service, missing =>
        Note(
            missing.At, service, "env_file",
            $"there is no file {missing.Path}, nor its .example; its variables are missing. Make the file to have them"));

    /// <summary>Publishes the service's ports on the loopback address, as far as the container does not yet.</summary>
    public void AddPorts(IResourceBuilder<ContainerResource> container, ComposeService service)
    {
        // A resource of the model has published its own ports already.
        var isKnown = container.Resource is not ComposeServiceResource;
        foreach (var port in service.Ports)
        {
            if (port.Protocol == "sctp")
            {
                Note(port.At, service, "ports", $"{port.Target}/sctp is not published; Aspire knows tcp and udp");
                continue;
            }

            var scheme = Scheme(port);
            var name = service.Ports.Count == 1 ? scheme : $"{scheme}-{port.Target}";
            var existing = container.Resource.Annotations.OfType<EndpointAnnotation>()
                .FirstOrDefault(endpoint => DriftCheck.IsSamePort(endpoint, port));
            if (existing is not null)
            {
                if (!isKnown)
                {
                    Note(port.At, service, "ports", $"{port.Target} is published once only, not on {port.Published} as well");
                }

                continue;
            }

            var host = uvlhub.Ports.Imported(service, port);
            if (host.Number is { } number && OtherWith(number, port.Protocol) is { } other)
            {
                Note(
                    port.At, service, "ports",
                    $"{other} has the host's port {number}; the system chooses a free one. To choose yourself: --{host.Setting}=PORT");
                host = host with { Number = null };
            }

            container
                .WithEndpoint(
                    targetPort: port.Target, scheme: scheme, name: name,
                    protocol: port.Protocol == "udp" ? ProtocolType.Udp : ProtocolType.Tcp)
                .WithHostPort(host, name);
        }
    }

    private string? OtherWith(int port, string protocol) =>
        (from resource in builder.Resources
         from endpoint in resource.Annotations.OfType<EndpointAnnotation>()
         where endpoint.Port == port && (endpoint.Protocol == ProtocolType.Udp) == (protocol == "udp")
         select resource.Name).FirstOrDefault();

    // The dashboard makes a link of what it believes to be a page.
    private static string Scheme(ComposePort port) => port.AppProtocol is "http" or "https" ? port.AppProtocol
        : port.Protocol == "udp" ? "udp"
        : port.Target switch
        {
            443 or 8443 => "https",
            80 or (>= 3000 and <= 3010) or 4200 or (>= 5000 and <= 5010) or 5173 or 5601 or (>= 8000 and <= 8099) or (>= 8880 and <= 8890) or 9000 or 9090 => "http",
            _ => "tcp",
        };

    // One that may not be read is a server's.
    private static bool HoldsDatabase(string folder)
    {
        try
        {
            return Directory.Exists(folder) && Directory.EnumerateFiles(folder, "ibdata*").Any();
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Mounts the service's folders and volumes, as far as the container has nothing in their place.</summary>
    public void AddMounts(IResourceBuilder<ContainerResource> container, ComposeService service)
    {
        // Where the database keeps its data, if anywhere, is the environment's affair.
        var own = container.Resource is MariaDBServerResource ? MariaDBServerResource.DataFolder : null;
        if (service.Mounts.FirstOrDefault(mount => mount.Target == own && mount.Kind == ComposeMountKind.Bind) is { Source: { } folder } data
            && uvlhub.Options.DataVolume is null && HoldsDatabase(folder))
        {
            var volume = $"{uvlhub.Checkout.Name}_data";
            Note(
                data.At, service, "volumes",
                $"there is a database in {folder}, where compose keeps it; here {service.Name} has a volume and starts without its rows. To "
                + $"work on it (make a copy first): docker volume create --opt type=none --opt o=bind --opt device={folder} {volume}, and "
                + $"then --{UvlhubOptions.Section}:{nameof(UvlhubOptions.DataVolume)}={volume}");
        }

        foreach (var mount in service.Mounts.Where(
            mount => mount.Target != own
            && container.Resource.Annotations.OfType<ContainerMountAnnotation>().All(existing => existing.Target != mount.Target)))
        {
            switch (mount.Kind)
            {
                case ComposeMountKind.Bind when EngineSocket.Is(mount.Source)
                    && UvlhubOptions.Lists(uvlhub.Options.EngineSocket, service.Name):
                    // To this service alone: the toolbox, which mounts what the site does, is no part of what was asked for.
                    if (container.Resource is ComposeServiceResource || container.Resource.Name == service.Name)
                    {
                        GiveEngineSocket(container, mount);
                    }

                    break;
                case ComposeMountKind.Bind when EngineSocket.Is(mount.Source):
                    // Every edition mounts it into the site; there it is no news, and the drift check has the reason.
                    if (container.Resource is ComposeServiceResource)
                    {
                        Note(mount.At, service, "volumes", EngineSocket.Refusal);
                    }

                    break;
                case ComposeMountKind.Bind when Path.Exists(mount.Source):
                    container.WithCheckoutMount(mount.Source!, mount.Target, mount.IsReadOnly);
                    break;
                case ComposeMountKind.Bind when Path.HasExtension(mount.Source):
                    Note(mount.At, service, "volumes", $"there is no file {mount.Source}; {mount.Target} is the image's own");
                    break;
                case ComposeMountKind.Bind:
                    // Compose would make the folder, as root, inside the checkout. A volume loses nothing and changes nothing there.
                    var instead = uvlhub.Names.ServiceVolume($"{service.Name}{mount.Target.Replace('/', '_')}", uvlhub.Checkout.Name);
                    Note(
                        mount.At, service, "volumes",
                        $"there is no folder {mount.Source}; the volume {instead} takes its place. Make the folder to use it");
                    container.WithCheckoutVolume(instead, mount.Target, mount.IsReadOnly);
                    break;
                case ComposeMountKind.Anonymous when service.Mounts.Any(
                    outer => outer.Kind == ComposeMountKind.Bind && mount.Target.StartsWith($"{outer.Target}/", StringComparison.Ordinal)):
                    container.WithImageFolder(mount.Target);
                    break;
                case ComposeMountKind.Anonymous:
                    container.WithVolume(mount.Target);
                    break;
                default:
                    AddVolume(container, service, mount);
                    break;
            }
        }
    }

    private void GiveEngineSocket(IResourceBuilder<ContainerResource> container, ComposeMount mount)
    {
        container.WithBindMount(mount.Source!, mount.Target, mount.IsReadOnly);
        if (OperatingSystem.IsLinux() && CheckoutOwner.Read(mount.Source!) is { Group: not 0 } owner)
        {
            // The containers of an ordinary user's checkout run as that user, and the socket is its group's.
            container.WithContainerRuntimeArgs("--group-add", $"{owner.Group}");
        }

        EngineSocket.Announce(builder, container.Resource);
    }

    private void AddVolume(IResourceBuilder<ContainerResource> container, ComposeService service, ComposeMount mount)
    {
        var volume = file.Volume(mount.Source!);
        if (volume is { IsExternal: true })
        {
            container.WithVolume(volume.EngineName ?? volume.Name, mount.Target, mount.IsReadOnly);
            return;
        }

        if (volume?.Driver is { } driver)
        {
            Note(volume.At, service, "volumes", $"the driver {driver} is not taken over; {volume.Name} is an ordinary volume");
        }

        container.WithCheckoutVolume(
            uvlhub.Names.ServiceVolume(volume?.EngineName ?? mount.Source!, volume?.EngineName is null ? uvlhub.Checkout.Name : null),
            mount.Target,
            mount.IsReadOnly,
            isNamedByUser: volume?.EngineName is not null);
    }

    /// <summary>Makes the container known by every name that the service has in the compose file.</summary>
    public void AddNames(IResourceBuilder<ContainerResource> container, ComposeService service)
    {
        // Code and documents of the forks use the containers' names as host names; an instance's containers have others.
        var containerName = container.Resource.ContainerName();
        IEnumerable<string> names =
        [
            service.Name, .. service.Networks.SelectMany(connection => connection.Aliases),
            .. service.ContainerName is { } own ? new[] { own } : [],
        ];
        foreach (var name in names.Distinct().Where(name => name != container.Resource.Name && name != containerName))
        {
            if (container.Resource.Annotations.OfType<ContainerNetworkAliasAnnotation>().All(alias => alias.Alias != name))
            {
                container.WithContainerNetworkAlias(name);
            }
        }

        foreach (var connection in service.Networks)
        {
            var network = file.Networks.FirstOrDefault(network => network.Name == connection.Name);
            if (connection.Address is { } address)
            {
                Note(
                    connection.At, service, "networks", $"the fixed address {address} is not given; the others reach it as {service.Name}");
            }

            if (network is { IsExternal: true })
            {
                Note(
                    connection.At, service, "networks",
                    $"the external network {network.EngineName ?? network.Name} is not joined; publish a port to be reached from it");
            }

            if (network is { IsInternal: true })
            {
                Note(
                    connection.At, service, "networks",
                    $"the network {network.Name} is internal, the model's is not: the container has a way out");
            }
        }
    }

    /// <summary>Notes what cannot be taken over.</summary>
    public void Note(SourceLine at, ComposeService service, string subject, string problem, bool isFatal = false) =>
        findings.Add(new ComposeFinding(at, service.Name, subject, problem, isFatal));
}
