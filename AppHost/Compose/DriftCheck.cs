using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>
/// Compares what a compose file declares with the model as it is built: every service, image, port, volume, name,
/// variable and command. The model's side is read from the resources' annotations, and so are the reasons for what
/// differs on purpose.
/// </summary>
internal sealed class DriftCheck(UvlhubEnvironment uvlhub, IConfiguration configuration, DistributedApplicationExecutionContext context)
{
    private const string LoopbackOnly = "ports are on 127.0.0.1: nobody else on the network has business with a development environment";
    private const string OwnVolumes = "each checkout has volumes of its own, so that no two open each other's data";
    private const string OneNetwork = "every container is on one network, on which all names of the compose file are known";
    private const string OwnNames = "an instance has containers and ports of its own, to run beside others (Uvlhub:Instance)";
    private const string LeftOut = "a setting leaves it out (Uvlhub:Services)";
    private const string NoPlaceholder = "a value that is still a placeholder is not passed on";
    private const string RestartsAnyway = "a service that dies is started again, with an end to crash loops";

    private readonly List<Difference> _differences = [];

    /// <summary>Compares.</summary>
    /// <param name="file">The compose file.</param>
    /// <param name="findings">What of it is already known not to be taken over.</param>
    /// <param name="resources">The model.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    public async Task<DriftReport> CompareAsync(
        ComposeFile file, IEnumerable<ComposeFinding> findings, IEnumerable<IResource> resources, CancellationToken cancellationToken)
    {
        _differences.Clear();
        List<IResource> programs =
        [
            .. resources.Where(resource => resource is ContainerResource or ProjectResource or ExecutableResource
                // Aspire's own helpers, which the dashboard does not show.
                && !resource.Annotations.OfType<HiddenAnnotation>().Any(hidden => hidden.Behavior != HiddenBehavior.OnCompletion)),
        ];
        List<ComposeFinding> known = [.. findings];
        var standing = programs.OfType<ContainerResource>()
            .Select(container => (Service: file.Services.FirstOrDefault(service => StandsFor(container, service)), Container: container))
            .Where(pair => pair.Service is not null)
            .ToLookup(pair => pair.Service!, pair => pair.Container);
        foreach (var service in file.Services)
        {
            if (standing[service].FirstOrDefault() is not { } container)
            {
                Missing(service);
                continue;
            }

            var facts = await ContainerFacts.ReadAsync(container, context, cancellationToken);
            CompareImage(service, facts);
            CompareNames(service, facts);
            CompareCommand(service, facts);
            CompareEnvironment(service, facts);
            ComparePorts(service, facts);
            CompareMounts(file, service, facts);
            CompareRest(service, facts);
            CompareDependencies(file, service, container, programs);
        }

        foreach (var network in file.Networks.Where(
            network => (network.EngineName ?? network.Name) != uvlhub.Names.Network
            || network is { IsExternal: true } or { IsInternal: true } or { Subnets: not [] }))
        {
            _differences.Add(
                new Difference(
                    network.Name, DriftAspect.Network, network.Name,
                    $"the network {network.Name} has no counterpart that is quite the same", network.At, OneNetwork));
        }

        foreach (var resource in programs.Except(standing.SelectMany(containers => containers)))
        {
            Add(resource, resource.Name, DriftAspect.Service, resource.Name, "only the model has it", null);
        }

        // What is said of a line already needs not be said in other words.
        return new DriftReport(
            file,
            [.. _differences.Where(difference => difference.Reason is not null || !known.Any(finding => finding.Service == difference.Service && finding.At == difference.At))],
            known);
    }

    private static bool StandsFor(ContainerResource container, ComposeService service) => container is ComposeServiceResource imported
        ? imported.Service.Name == service.Name
        : container.Name == service.Name
            || container.Annotations.OfType<ComposeServiceNameAnnotation>().Any(known => known.Service == service.Name);

    /// <summary>Whether an endpoint publishes the port of the container that a compose file publishes.</summary>
    internal static bool IsSamePort(EndpointAnnotation endpoint, ComposePort port) =>
        endpoint.TargetPort == port.Target && (endpoint.Protocol == ProtocolType.Udp) == (port.Protocol == "udp");

    private void Missing(ComposeService service) =>
        _differences.Add(new Difference(service.Name, DriftAspect.Service, service.Name, "the model has no such resource", service.At,
            KnownServices.Replacement(service.Name) ?? (uvlhub.Services.Includes(service.Name) ? null : LeftOut)));

    private void CompareImage(ComposeService service, ContainerFacts facts)
    {
        var own = facts.Origin?.CheckoutBuild;
        if (service.Build is { } build)
        {
            if (own?.Dockerfile == build.DockerfilePath)
            {
                return;
            }

            var file = Path.GetRelativePath(uvlhub.Checkout.Path, build.DockerfilePath);
            if (own is not null || !File.Exists(build.DockerfilePath))
            {
                Add(
                    facts, service, DriftAspect.Image, file, $"is built from {file}, the model's from {own?.Dockerfile ?? facts.Image}",
                    build.At);
                return;
            }

            var bases = Dockerfile.Read(build.DockerfilePath).BaseImages;
            var addsFiles = CopiesFiles(build.DockerfilePath);
            if (bases.Any(image => SameImage(image, facts.Image)) && !addsFiles)
            {
                Add(
                    facts, service, DriftAspect.Image, "build",
                    $"is built from {file} on {facts.Image}; the model runs {facts.Image} itself", build.At);
            }
            else
            {
                var subject = bases is [var only] && !addsFiles ? FullName(only) : file;
                Add(
                    facts, service, DriftAspect.Image, subject,
                    $"is built from {file} on {string.Join(", ", bases)}; the model runs {facts.Image}", build.At);
            }
        }
        else if (service.Image is { } image && (own is not null || !SameImage(image, facts.Image)))
        {
            Add(
                facts, service, DriftAspect.Image, FullName(image), $"runs {image}, the model {own?.Dockerfile ?? facts.Image}",
                service.LineOf("image"));
        }
    }

    private void CompareNames(ComposeService service, ContainerFacts facts)
    {
        if (service.ContainerName is { } name && facts.ContainerName != name)
        {
            var isInstance = facts.ContainerName == uvlhub.Names.ServiceContainer(name);
            Add(
                facts, service, DriftAspect.ContainerName, name,
                $"is called {name}, in the model {facts.ContainerName ?? "whatever Aspire makes up"}", service.LineOf("container_name"),
                isInstance ? OwnNames : null);
        }

        foreach (var (alias, at) in service.Networks.SelectMany(network => network.Aliases.Select(alias => (alias, network.At)))
            .Prepend((service.Name, service.At)))
        {
            if (!facts.HostNames.Contains(alias))
            {
                Add(facts, service, DriftAspect.Network, alias, $"is reached as {alias}, which nobody knows in the model", at);
            }
        }

        foreach (var connection in service.Networks.Where(connection => connection.Address is not null))
        {
            Add(
                facts, service, DriftAspect.Network, connection.Address!, $"has the fixed address {connection.Address}, in the model any",
                connection.At);
        }
    }

    private void CompareCommand(ComposeService service, ContainerFacts facts)
    {
        List<string> declared = [.. service.Entrypoint ?? [], .. service.Command ?? []];
        List<string> modelled = [.. facts.Resource.Entrypoint is { } entrypoint ? new[] { entrypoint } : [], .. facts.Arguments];
        if (!declared.SequenceEqual(modelled))
        {
            var (ours, theirs) = (
                declared.Count == 0 ? "the image's own command" : ShellWords.Join(declared),
                modelled.Count == 0 ? "the image's own command" : ShellWords.Join(modelled));
            Add(
                facts, service, DriftAspect.Command, "command", $"runs {ours}; the model runs {theirs}",
                service.Lines.ContainsKey("command") ? service.LineOf("command") : service.LineOf("entrypoint"));
        }
    }

    private void CompareEnvironment(ComposeService service, ContainerFacts facts)
    {
        var declared = new Dictionary<string, (SourceLine At, string? Value)>(StringComparer.Ordinal);
        var placeholders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var env in service.EnvironmentFiles)
        {
            var variables = uvlhub.Checkout.IsEnvironmentFile(env.Path) ? uvlhub.Checkout.EnvironmentFile.Values : env.Read();
            foreach (var (key, value) in variables ?? new Dictionary<string, string>())
            {
                // One .env serves every way of running uvlhub; which values the model computes instead is no drift.
                declared[key] = (env.At, null);
                if (SecretKeys.IsPlaceholder(value))
                {
                    placeholders.Add(key);
                }
            }
        }

        foreach (var variable in service.Environment)
        {
            declared[variable.Name] = (variable.At, variable.Value);
        }

        foreach (var (name, (at, value)) in declared)
        {
            if (!facts.Environment.TryGetValue(name, out var modelled))
            {
                var isPassedOn = value is null && service.Environment.Any(variable => variable.Name == name);
                if (!isPassedOn || Environment.GetEnvironmentVariable(name) is not null)
                {
                    Add(
                        facts, service, DriftAspect.Environment, name, $"has the variable {name}, which the model does not set", at,
                        placeholders.Contains(name) ? NoPlaceholder : null);
                }
            }
            else if (value is not null && modelled is string text && text != value)
            {
                // Never the values: they may be secrets.
                Add(facts, service, DriftAspect.Environment, name, $"has another value of {name} than the model", at);
            }
        }

        foreach (var name in facts.Environment.Keys.Where(name => !declared.ContainsKey(name)))
        {
            Add(facts, service, DriftAspect.Environment, name, $"only the model sets {name}", null);
        }
    }

    private void ComparePorts(ComposeService service, ContainerFacts facts)
    {
        foreach (var port in service.Ports)
        {
            var subject = Subject(port.Target, port.Protocol == "udp");
            if (facts.Endpoints.FirstOrDefault(endpoint => IsSamePort(endpoint, port)) is not { } endpoint)
            {
                Add(facts, service, DriftAspect.Port, subject, $"publishes {subject}, the model does not", port.At);
                continue;
            }

            if (port.Published is { } published && endpoint.Port != published)
            {
                var setting = facts.Resource.Annotations.OfType<HostPortAnnotation>()
                    .FirstOrDefault(own => own.Endpoint == endpoint.Name)?.Port.Setting;
                var reason = setting is not null && !string.IsNullOrEmpty(configuration[setting]) ? $"{setting} chooses the port"
                    : string.IsNullOrEmpty(uvlhub.Options.Instance) ? null
                    : OwnNames;
                Add(facts, service, DriftAspect.Port, subject, $"publishes {subject} on {published}, the model on {endpoint.Port?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "any free one"}", port.At, reason);
            }

            if (port.HostAddress is null or "0.0.0.0" or "::")
            {
                _differences.Add(
                    new Difference(
                        service.Name, DriftAspect.Port, subject, $"publishes {subject} to every machine that reaches this one", port.At,
                        LoopbackOnly));
            }
        }

        foreach (var endpoint in facts.Endpoints.Where(endpoint => !service.Ports.Any(port => IsSamePort(endpoint, port))))
        {
            var subject = Subject(endpoint.TargetPort ?? 0, endpoint.Protocol == ProtocolType.Udp);
            Add(facts, service, DriftAspect.Port, subject, $"only the model publishes {subject}", null);
        }

        static string Subject(int port, bool isUdp) => isUdp ? $"{port}/udp" : $"{port}";
    }

    private void CompareMounts(ComposeFile file, ComposeService service, ContainerFacts facts)
    {
        foreach (var mount in service.Mounts)
        {
            var other = facts.Mounts.FirstOrDefault(own => own.Target.TrimEnd('/') == mount.Target.TrimEnd('/'));
            if (other is null)
            {
                Add(
                    facts, service, DriftAspect.Volume, mount.Target,
                    $"mounts {mount.Source ?? "a volume of its own"} on {mount.Target}, the model does not", mount.At,
                    EngineSocket.Is(mount.Source) ? EngineSocket.Refusal : null);
                continue;
            }

            var isBind = mount.Kind == ComposeMountKind.Bind;
            if (isBind != (other.Type == ContainerMountType.BindMount)
                || (isBind && mount.Source != Path.TrimEndingDirectorySeparator(other.Source!)))
            {
                Add(
                    facts, service, DriftAspect.Volume, mount.Target, $"mounts {mount.Source} on {mount.Target}, the model {other.Source}",
                    mount.At);
            }
            else if (mount.Kind == ComposeMountKind.Volume && other.Source != mount.Source)
            {
                var isExternal = file.Volume(mount.Source!) is { IsExternal: true };
                Add(
                    facts, service, DriftAspect.Volume, mount.Target,
                    $"keeps {mount.Target} in {mount.Source}, the model in {other.Source}", mount.At, isExternal ? null : OwnVolumes);
            }

            if (mount.IsReadOnly != other.IsReadOnly)
            {
                Add(
                    facts, service, DriftAspect.Volume, "read-only",
                    $"may {(mount.IsReadOnly ? "only read" : "write")} {mount.Target}, in the model "
                    + $"{(other.IsReadOnly ? "only read" : "write")}",
                    mount.At);
            }
        }

        foreach (var other in facts.Mounts.Where(own => service.Mounts.All(mount => mount.Target.TrimEnd('/') != own.Target.TrimEnd('/'))))
        {
            Add(facts, service, DriftAspect.Volume, other.Target, $"only the model mounts {other.Target}", null);
        }
    }

    private void CompareRest(ComposeService service, ContainerFacts facts)
    {
        var declares = service.Restart is not (null or "no");
        var restarts = facts.Resource.HasAnnotationOfType<RestartPolicy>();
        if (declares != restarts)
        {
            Add(
                facts, service, DriftAspect.Restart, "restart",
                declares ? $"is started again ({service.Restart}), in the model not" : "only the model starts it again",
                declares ? service.LineOf("restart") : null, restarts ? RestartsAnyway : null);
        }

        if (service.HealthCheck is { IsDisabled: false } check && !facts.Resource.HasAnnotationOfType<HealthCheckAnnotation>())
        {
            Add(facts, service, DriftAspect.HealthCheck, "healthcheck", "has a health check, in the model none", check.At);
        }

        foreach (var option in service.Options)
        {
            if (!option.IsIn(facts.EngineOptions))
            {
                Add(
                    facts, service, DriftAspect.Option, option.Key, $"has {option.Key} {option.Value}, which the model does not pass on",
                    option.At);
            }
        }
    }

    private void CompareDependencies(ComposeFile file, ComposeService service, ContainerResource container, List<IResource> programs)
    {
        var awaited = Awaited(container);
        foreach (var dependency in service.DependsOn)
        {
            var other = programs.FirstOrDefault(
                resource => resource is ContainerResource candidate && file.Service(dependency.Service) is { } declared
                && StandsFor(candidate, declared));
            if (other is not null && !awaited.Contains(other))
            {
                Add(
                    container, service.Name, DriftAspect.DependsOn, dependency.Service, $"waits for {dependency.Service}, in the model not",
                    dependency.At);
            }
        }
    }

    // Also what those wait for that it waits for: the migrator stands between the site and the database.
    private static HashSet<IResource> Awaited(IResource resource)
    {
        var awaited = new HashSet<IResource>();
        var pending = new Queue<IResource>([resource]);
        while (pending.TryDequeue(out var current))
        {
            var others = current.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource)
                .SelectMany(other => other is IResourceWithParent child ? new[] { other, child.Parent } : [other]);
            foreach (var other in others.Where(awaited.Add))
            {
                pending.Enqueue(other);
            }
        }

        return awaited;
    }

    private void Add(
        ContainerFacts facts, ComposeService service, DriftAspect aspect, string subject, string problem, SourceLine? at,
        string? reason = null) =>
        Add(facts.Resource, service.Name, aspect, subject, problem, at, reason);

    // The resource's own reason goes first: it knows more than a rule for all.
    private void Add(
        IResource resource, string service, DriftAspect aspect, string subject, string problem, SourceLine? at, string? reason = null) =>
        _differences.Add(new Difference(
            service, aspect, subject, problem, at,
            resource.Annotations.OfType<IntendedDifference>().FirstOrDefault(intended => intended.Covers(aspect, subject))?.Reason
                ?? reason));

    private static bool CopiesFiles(string dockerfile) => File.ReadLines(dockerfile)
        .Any(
            line => line.TrimStart().StartsWith("COPY ", StringComparison.OrdinalIgnoreCase)
            || line.TrimStart().StartsWith("ADD ", StringComparison.OrdinalIgnoreCase));

    private static bool SameImage(string one, string other) => FullName(one) == FullName(other);

    private static string FullName(string image)
    {
        foreach (var prefix in new[] { "docker.io/", "index.docker.io/", "library/" })
        {
            image = image.StartsWith(prefix, StringComparison.Ordinal) ? image[prefix.Length..] : image;
        }

        var name = image.Split('/')[^1];
        return name.Contains(':', StringComparison.Ordinal) || name.Contains('@', StringComparison.Ordinal) ? image : $"{image}:latest";
    }
}
