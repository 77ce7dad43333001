using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using UvlhubAspire.AppHost.Engine;
using UvlhubAspire.AppHost.Flask;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.AppHost.MariaDB;
using UvlhubAspire.AppHost.Preflight;
using UvlhubAspire.AppHost.Restart;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.AppHost.Volumes;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>Makes resources of services that the model does not know, and notes what it has no word for.</summary>
/// <param name="builder">The application that is being built.</param>
/// <param name="uvlhub">The checkout and the settings.</param>
/// <param name="file">The compose file.</param>
/// <param name="findings">Takes what cannot be taken over.</param>
internal sealed partial class ComposeImport(
    IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub, ComposeFile file, ComposeFindings findings)
{
    private readonly HashSet<string> _profiles =
    [
        .. $"{uvlhub.Options.Profiles},{Environment.GetEnvironmentVariable("COMPOSE_PROFILES")}"
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    ];

    /// <summary>Adds them.</summary>
    public void Add()
    {
        var imported = new List<IResourceBuilder<ComposeServiceResource>>();
        foreach (var service in file.Services.Where(service => !KnownServices.Names.Contains(service.Name) && uvlhub.Services.Includes(service.Name)))
        {
            if (KnownByContainerName(service) is { } known)
            {
                known.Annotations.Add(new StandsForService(service.Name));
                known.Annotations.Add(new ContainerNetworkAliasAnnotation(service.Name));
            }
            else if (AddService(service) is { } resource)
            {
                imported.Add(resource);
            }
        }

        // Only now, because a service may wait for one that comes after it.
        foreach (var resource in imported)
        {
            Wait(resource);
        }

        foreach (var service in file.Services)
        {
            KeepContainerNameAsHostName(service);
        }
    }

    // Code and documents of the forks use the containers' names as host names; an instance's containers have others.
    private void KeepContainerNameAsHostName(ComposeService service)
    {
        if (service.ContainerName is { } name && Resource(service.Name) is ContainerResource container
            && container.Annotations.OfType<ContainerNameAnnotation>().LastOrDefault()?.Name != name)
        {
            container.Annotations.Add(new ContainerNetworkAliasAnnotation(name));
        }
    }

    // A fork that calls its database 'mariadb' keeps the container's name, because scripts and documents use that.
    private ContainerResource? KnownByContainerName(ComposeService service) => service.ContainerName is not { } name ? null
        : builder.Resources.OfType<ContainerResource>().FirstOrDefault(resource =>
            resource.Annotations.OfType<ContainerNameAnnotation>().LastOrDefault()?.Name == uvlhub.Names.ServiceContainer(name));

    private IResourceBuilder<ComposeServiceResource>? AddService(ComposeService service)
    {
        var name = ResourceName(service.Name);
        if (builder.Resources.Any(resource => resource.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
        {
            Note(service.At, service, service.Name, $"the model has a resource {name} of its own; call the service differently to run it", isFatal: true);
        }

        if (findings.Any(finding => finding.IsFatal && finding.Service == service.Name))
        {
            return null;
        }

        var resource = new ComposeServiceResource(name, service);
        var container = builder.AddResource(resource);
        if (!TrySetImage(container))
        {
            builder.Resources.Remove(resource);
            return null;
        }

        container
            .WithContainerName(ContainerName(service))
            .WithContainerRuntimeArgs([.. service.Options.SelectMany(option => option.Words)])
            .WithIconName("Box");
        SetCommand(container);
        SetEnvironment(container);
        AddPorts(container);
        AddMounts(container);
        SetNames(container);
        AddHealthCheck(container);
        SetStart(container);
        foreach (var key in service.Unsupported)
        {
            Note(key.At, service, key.Key, key.Reason);
        }

        return container;
    }

    private bool TrySetImage(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        if (service.Build is { } build)
        {
            return TrySetBuild(container, build);
        }

        if (!ImageName().IsMatch(service.Image!))
        {
            Note(service.LineOf("image"), service, "image", $"'{service.Image}' is no name of an image; put the right one in its place", isFatal: true);
            return false;
        }

        container.WithImage(service.Image!).WithAnnotation(new ContainerImage(StandIn: null));
        ImagePullPolicy? policy = service.PullPolicy switch
        {
            null => null,
            "always" => ImagePullPolicy.Always,
            "missing" or "if_not_present" => ImagePullPolicy.Missing,
            "never" => ImagePullPolicy.Never,
            _ => null,
        };
        if (policy is { } known)
        {
            container.WithImagePullPolicy(known);
        }
        else if (service.PullPolicy is { } other)
        {
            Note(service.LineOf("pull_policy"), service, "pull_policy", $"'{other}' is not taken over; the image is pulled when it is missing");
        }

        return true;
    }

    private bool TrySetBuild(IResourceBuilder<ComposeServiceResource> container, ComposeBuild build)
    {
        var (service, checkout) = (container.Resource.Service, uvlhub.Checkout);
        var dockerfile = build.DockerfilePath;
        if (dockerfile == checkout.DevelopmentDockerfile?.Path && build.Context == checkout.Path && build is { Target: null, Arguments: [] })
        {
            container.WithImage(CheckoutImage.Name(checkout), "dev").WithAnnotation(CheckoutImage.Development(checkout));
            return true;
        }

        if (!File.Exists(dockerfile))
        {
            Note(build.At, service, "build", $"there is no file {dockerfile}", isFatal: true);
            return false;
        }

        var recipe = new ImageRecipe($"{CheckoutImage.Name(checkout, service.Name)}:dev", dockerfile, build.Context!, NeedsDebianBase: false, IsContentTagged: false)
        {
            Target = build.Target,
            Arguments = build.Arguments
                .Select(argument => (argument.Name, Value: argument.Value ?? Variable(argument.Name)))
                .Where(argument => argument.Value is not null)
                .ToDictionary(argument => argument.Name, argument => argument.Value!),
        };
        container
            .WithImage(CheckoutImage.Name(checkout, service.Name), "dev")
            .WithAnnotation(new ContainerImage(StandIn: null, recipe, Dockerfile.Read(dockerfile).BaseImages));
        return true;
    }

    private void SetCommand(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        List<string> words = [.. service.Entrypoint ?? [], .. service.Command ?? []];
        if (service.Entrypoint is not null && words.Count == 0)
        {
            Note(service.LineOf("entrypoint"), service, "entrypoint", "an empty entrypoint needs a command; the image's own entrypoint runs");
        }
        else if (service.Entrypoint is not null)
        {
            // An empty entrypoint makes the command's first word the program.
            container.WithEntrypoint(words[0]);
            words.RemoveAt(0);
        }

        if (words.Count > 0)
        {
            container.WithArgs([.. words]);
        }
    }

    private void SetEnvironment(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        var ownFile = Path.Combine(uvlhub.Checkout.Path, ".env");
        var usesCheckoutsFile = service.EnvironmentFiles.Any(env => env.Path == ownFile);
        List<DotEnvFile> files = [];
        foreach (var env in service.EnvironmentFiles)
        {
            if (env.Path == ownFile)
            {
                // Where a checkout has only the example, that is what runs, and nothing is written into the checkout.
                files.Add(uvlhub.Checkout.EnvironmentFile);
            }
            else if (File.Exists(env.Path))
            {
                files.Add(DotEnvFile.Read(env.Path));
            }
            else if (env.IsRequired)
            {
                Note(env.At, service, "env_file", $"there is no file {env.Path}; its variables are missing");
            }
        }

        container.WithEnvironment(context =>
        {
            foreach (var (name, value) in files.SelectMany(env => env.Values))
            {
                context.EnvironmentVariables[name] = value;
            }

            if (usesCheckoutsFile && builder.Resources.OfType<MariaDBServerResource>().FirstOrDefault() is { } server)
            {
                FlaskBuilderExtensions.SetDatabaseEnvironment(context.EnvironmentVariables, uvlhub, server);
            }

            foreach (var variable in service.Environment)
            {
                if ((variable.Value ?? Variable(variable.Name)) is { } value)
                {
                    context.EnvironmentVariables[variable.Name] = value;
                }
            }
        });
    }

    private void AddPorts(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        foreach (var port in service.Ports)
        {
            if (port.Protocol == "sctp")
            {
                Note(port.At, service, "ports", $"{port.Target}/sctp is not published; Aspire knows tcp and udp");
                continue;
            }

            var scheme = Scheme(port);
            var name = service.Ports.Count == 1 ? scheme : $"{scheme}-{port.Target}";
            if (container.Resource.Annotations.OfType<EndpointAnnotation>().Any(endpoint => endpoint.Name == name))
            {
                Note(port.At, service, "ports", $"{port.Target} is published once only, not on {port.Published} as well");
                continue;
            }

            var setting = service.Ports.Count == 1 ? service.Name : $"{service.Name}:{port.Target}";
            var host = uvlhub.Ports.Imported(setting, builder.Configuration[$"{UvlhubOptions.Section}:Ports:{setting}"], port.Published);
            if (host.Number is { } number && OtherWith(number, port.Protocol) is { } other)
            {
                Note(port.At, service, "ports", $"{other} has the host's port {number}; the system chooses a free one. To choose yourself: --{host.Setting}=PORT");
                host = host with { Number = null };
            }

            container
                .WithEndpoint(targetPort: port.Target, scheme: scheme, name: name, protocol: port.Protocol == "udp" ? ProtocolType.Udp : ProtocolType.Tcp)
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

    private void AddMounts(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        foreach (var mount in service.Mounts)
        {
            switch (mount.Kind)
            {
                case ComposeMountKind.Bind when EngineSocket.Is(mount.Source):
                    Note(mount.At, service, "volumes", EngineSocket.Refusal);
                    break;
                case ComposeMountKind.Bind when Path.Exists(mount.Source):
                    container.WithBindMount(mount.Source!, mount.Target, mount.IsReadOnly);
                    break;
                case ComposeMountKind.Bind when Path.HasExtension(mount.Source):
                    Note(mount.At, service, "volumes", $"there is no file {mount.Source}; {mount.Target} is the image's own");
                    break;
                case ComposeMountKind.Bind:
                    // Compose would make the folder, as root, inside the checkout. A volume loses nothing and changes nothing there.
                    var instead = uvlhub.Names.ServiceVolume($"{service.Name}{mount.Target.Replace('/', '_')}", uvlhub.Checkout.Name);
                    Note(mount.At, service, "volumes", $"there is no folder {mount.Source}; the volume {instead} takes its place. Make the folder to use it");
                    container.WithCheckoutVolume(uvlhub, instead, mount.Target, mount.IsReadOnly);
                    break;
                case ComposeMountKind.Anonymous:
                    container.WithVolume(mount.Target);
                    break;
                default:
                    AddVolume(container, mount);
                    break;
            }
        }
    }

    private void AddVolume(IResourceBuilder<ComposeServiceResource> container, ComposeMount mount)
    {
        var volume = file.Volume(mount.Source!);
        if (volume is { IsExternal: true })
        {
            container.WithVolume(volume.EngineName ?? volume.Name, mount.Target, mount.IsReadOnly);
            return;
        }

        if (volume?.Driver is { } driver)
        {
            Note(volume.At, container.Resource.Service, "volumes", $"the driver {driver} is not taken over; {volume.Name} is an ordinary volume");
        }

        container.WithCheckoutVolume(
            uvlhub,
            uvlhub.Names.ServiceVolume(volume?.EngineName ?? mount.Source!, volume?.EngineName is null ? uvlhub.Checkout.Name : null),
            mount.Target,
            mount.IsReadOnly,
            isNamedByUser: volume?.EngineName is not null);
    }

    private void SetNames(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        var aliases = service.Networks.SelectMany(connection => connection.Aliases).Append(service.Name).Distinct().Where(alias => alias != container.Resource.Name);
        foreach (var alias in aliases)
        {
            container.WithContainerNetworkAlias(alias);
        }

        foreach (var connection in service.Networks)
        {
            var network = file.Networks.FirstOrDefault(network => network.Name == connection.Name);
            if (connection.Address is { } address)
            {
                Note(connection.At, service, "networks", $"the fixed address {address} is not given; the others reach it as {service.Name}");
            }

            if (network is { IsExternal: true })
            {
                Note(connection.At, service, "networks", $"the external network {network.EngineName ?? network.Name} is not joined; publish a port to be reached from it");
            }

            if (network is { IsInternal: true })
            {
                Note(connection.At, service, "networks", $"the network {network.Name} is internal, the model's is not: the container has a way out");
            }
        }
    }

    private void AddHealthCheck(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        if (service.HealthCheck is { } check)
        {
            container.WithContainerRuntimeArgs([.. HealthOptions(check)]);
        }

        // Without a check of its own the image may have one, which matters only to those that wait for it.
        var isAwaited = file.Services.SelectMany(other => other.DependsOn)
            .Any(dependency => dependency.Service == service.Name && dependency.Condition == ComposeCondition.Healthy);
        if (service.HealthCheck is { IsDisabled: false } || (service.HealthCheck is null && isAwaited))
        {
            var key = $"{container.Resource.Name}-engine";
            var name = ContainerName(service);
            builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
                key, services => new EngineHealthCheck(services.GetRequiredService<ContainerEngine>(), name), failureStatus: null, tags: null));
            container.WithHealthCheck(key);
        }
    }

    private static IEnumerable<string> HealthOptions(ComposeHealthCheck check)
    {
        if (check.IsDisabled)
        {
            yield return "--no-healthcheck";
            yield break;
        }

        (string Option, string? Value)[] options =
        [
            // The engine's command line knows the shell's form only.
            ("--health-cmd", check.Test switch
            {
                ["CMD-SHELL", var line] => line,
                { } words => ShellWords.Join(words.Skip(1)),
                null => null,
            }),
            ("--health-interval", check.Interval),
            ("--health-timeout", check.Timeout),
            ("--health-retries", check.Retries?.ToString(CultureInfo.InvariantCulture)),
            ("--health-start-period", check.StartPeriod),
            ("--health-start-interval", check.StartInterval),
        ];
        foreach (var (option, value) in options)
        {
            if (value is not null)
            {
                yield return option;
                yield return value;
            }
        }
    }

    private void SetStart(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        if (!IsSelected(service) || service.Replicas == 0)
        {
            container.WithExplicitStart();
        }

        switch (service.Restart?.Split(':'))
        {
            case ["always" or "unless-stopped"]:
                container.WithAutomaticRestart();
                break;
            case ["on-failure", .. var limit]:
                container.WithAutomaticRestart(new RestartPolicy
                {
                    OnlyAfterFailure = true,
                    Limit = limit is [var times] ? int.Parse(times, CultureInfo.InvariantCulture) : new RestartPolicy().Limit,
                });
                break;
        }

        if (service.Replicas > 1)
        {
            Note(service.At, service, "replicas", $"one container runs, not {service.Replicas}");
        }
    }

    private void Wait(IResourceBuilder<ComposeServiceResource> container)
    {
        var service = container.Resource.Service;
        foreach (var dependency in service.DependsOn)
        {
            if (Resource(dependency.Service) is not { } other)
            {
                if (dependency.IsRequired && file.Service(dependency.Service) is not null)
                {
                    Note(dependency.At, service, "depends_on", $"{dependency.Service} is not run, so nothing waits for it");
                }

                continue;
            }

            if (other.HasAnnotationOfType<ExplicitStartupAnnotation>() && !container.Resource.HasAnnotationOfType<ExplicitStartupAnnotation>())
            {
                Note(dependency.At, service, "depends_on", $"{dependency.Service} starts by hand only, so nothing waits for it; choose its profile with Uvlhub:Profiles");
                continue;
            }

            var awaited = builder.CreateResourceBuilder(other);
            switch (dependency.Condition)
            {
                case ComposeCondition.Completed:
                    container.WaitForCompletion(awaited);
                    break;
                // 'Started' is not enough of a database: whoever comes too early dies, and each fork wrote its own wait for it.
                case ComposeCondition.Healthy:
                case ComposeCondition.Started when other is MariaDBServerResource:
                    container.WaitFor(awaited);
                    break;
                default:
                    container.WaitForStart(awaited);
                    break;
            }
        }
    }

    private IResource? Resource(string service) => builder.Resources.FirstOrDefault(resource =>
        resource is ComposeServiceResource imported ? imported.Service.Name == service
        : resource.Name == service || resource.Annotations.OfType<StandsForService>().Any(known => known.Service == service));

    private bool IsSelected(ComposeService service) =>
        service.Profiles.Count == 0 || _profiles.Contains("*") || service.Profiles.Any(_profiles.Contains);

    private string ContainerName(ComposeService service) =>
        uvlhub.Names.ServiceContainer(service.ContainerName ?? $"{file.Project}-{service.Name}-1");

    private string? Variable(string name) => Environment.GetEnvironmentVariable(name) ?? uvlhub.Checkout.Environment.GetValueOrDefault(name);

    // Aspire's names have letters, digits and single dashes, begin with a letter, and are at most 64 long.
    private static string ResourceName(string service)
    {
        var words = string.Concat(service.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Split('-', StringSplitOptions.RemoveEmptyEntries);
        var name = string.Join('-', words);
        name = name.Length > 0 && char.IsAsciiLetter(name[0]) ? name : $"service-{name}";
        return name.Length <= 64 ? name : name[..64].TrimEnd('-');
    }

    private void Note(SourceLine at, ComposeService service, string subject, string problem, bool isFatal = false) =>
        findings.Add(new ComposeFinding(at, service.Name, subject, problem, isFatal));

    // [host[:port]/]name[:tag][@digest], as the engine takes it.
    [GeneratedRegex(@"^(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$")]
    private static partial Regex ImageName();
}
