using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>Compares one service of a compose file with the container that stands for it.</summary>
internal sealed class ServiceDrift(
    UvlhubEnvironment uvlhub, IConfiguration configuration, ComposeFile file, ComposeService service, ContainerFacts facts)
{
    private const string LoopbackOnly = "ports are on 127.0.0.1: nobody else on the network has business with a development environment";
    private const string OwnVolumes = "each checkout has volumes of its own, so that no two open each other's data";
    private const string OwnNames = "an instance has containers and ports of its own, to run beside others (Uvlhub:Instance)";
    private const string NoPlaceholder = "a value that is still a placeholder is not passed on";
    private const string RestartsAnyway = "a service that dies is started again, with an end to crash loops";
    private const string OwnCommand = "the image's own command";

    /// <summary>Every difference.</summary>
    /// <param name="programs">What runs in the model.</param>
    public IEnumerable<Difference> Compare(IReadOnlyList<IResource> programs) =>
        [.. Image(), .. Names(), .. Command(), .. Environment(), .. Ports(), .. Mounts(), .. Rest(), .. Dependencies(programs)];

    private IEnumerable<Difference> Image()
    {
        var own = facts.Origin?.CheckoutBuild;
        var runs = own?.Source ?? facts.Image;
        if (service.Build is not { } build)
        {
            if (service.Image is { } image && (own is not null || !SameImage(image, facts.Image)))
            {
                yield return Differs(DriftAspect.Image, FullName(image), $"runs {image}, the model {runs}", service.LineOf("image"));
            }
        }
        else if (own?.Source != build.DockerfilePath)
        {
            var dockerfile = Path.GetRelativePath(uvlhub.Checkout.Path, build.DockerfilePath);
            if (own is not null || !File.Exists(build.DockerfilePath))
            {
                yield return Differs(DriftAspect.Image, dockerfile, $"is built from {dockerfile}, the model's from {runs}", build.At);
                yield break;
            }

            var bases = Dockerfile.Read(build.DockerfilePath).BaseImages;
            var addsFiles = CopiesFiles(build.DockerfilePath);
            var isBase = !addsFiles && bases.Any(image => SameImage(image, facts.Image));
            yield return Differs(
                DriftAspect.Image,
                isBase ? "build" : bases is [var only] && !addsFiles ? FullName(only) : dockerfile,
                $"is built from {dockerfile} on {(isBase ? facts.Image : string.Join(", ", bases))}; the model runs {facts.Image}"
                    + (isBase ? " itself" : ""),
                build.At);
        }
    }

    private IEnumerable<Difference> Names()
    {
        if (service.ContainerName is { } name && facts.ContainerName != name)
        {
            yield return Differs(
                DriftAspect.ContainerName, name, $"is called {name}, in the model {facts.ContainerName ?? "whatever Aspire makes up"}",
                service.LineOf("container_name"), facts.ContainerName == uvlhub.Names.ServiceContainer(name) ? OwnNames : null);
        }

        foreach (var (alias, at) in service.Networks.SelectMany(network => network.Aliases.Select(alias => (alias, network.At)))
            .Prepend((service.Name, service.At)).Where(known => !facts.HostNames.Contains(known.Item1)))
        {
            yield return Differs(DriftAspect.Network, alias, $"is reached as {alias}, which nobody knows in the model", at);
        }

        foreach (var connection in service.Networks.Where(connection => connection.Address is not null))
        {
            yield return Differs(
                DriftAspect.Network, connection.Address!, $"has the fixed address {connection.Address}, in the model any", connection.At);
        }
    }

    private IEnumerable<Difference> Command()
    {
        List<string> declared = [.. service.Entrypoint ?? [], .. service.Command ?? []];
        List<string> modelled = [.. facts.Resource.Entrypoint is { } entrypoint ? new[] { entrypoint } : [], .. facts.Arguments];
        if (!declared.SequenceEqual(modelled))
        {
            yield return Differs(
                DriftAspect.Command, "command", $"runs {Joined(declared)}; the model runs {Joined(modelled)}",
                service.LineOf(service.Lines.ContainsKey("command") ? "command" : "entrypoint"));
        }

        static string Joined(List<string> words) => words.Count == 0 ? OwnCommand
            : words.Any(word => word.Contains('\n', StringComparison.Ordinal)) ? "its script, line by line as below"
            : ShellWords.Join(words);
    }

    private IEnumerable<Difference> Environment()
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
                if (!isPassedOn || System.Environment.GetEnvironmentVariable(name) is not null)
                {
                    yield return Differs(
                        DriftAspect.Environment, name, $"has the variable {name}, which the model does not set", at,
                        placeholders.Contains(name) ? NoPlaceholder : null);
                }
            }
            else if (value is not null && modelled is string text && text != value)
            {
                // Never the values: they may be secrets.
                yield return Differs(DriftAspect.Environment, name, $"has another value of {name} than the model", at);
            }
        }

        foreach (var name in facts.Environment.Keys.Where(name => !declared.ContainsKey(name)))
        {
            yield return Differs(DriftAspect.Environment, name, $"only the model sets {name}", at: null);
        }
    }

    private IEnumerable<Difference> Ports()
    {
        foreach (var port in service.Ports)
        {
            var subject = Subject(port.Target, port.Protocol == "udp");
            if (facts.Endpoints.FirstOrDefault(endpoint => DriftCheck.IsSamePort(endpoint, port)) is not { } endpoint)
            {
                yield return Differs(DriftAspect.Port, subject, $"publishes {subject}, the model does not", port.At);
                continue;
            }

            if (port.Published is { } published && endpoint.Port != published)
            {
                var setting = facts.Resource.Annotations.OfType<HostPortAnnotation>()
                    .FirstOrDefault(own => own.Endpoint == endpoint.Name)?.Port.Setting;
                yield return Differs(
                    DriftAspect.Port, subject,
                    $"publishes {subject} on {published}, the model on "
                        + (endpoint.Port?.ToString(CultureInfo.InvariantCulture) ?? "any free one"),
                    port.At,
                    setting is not null && !string.IsNullOrEmpty(configuration[setting]) ? $"{setting} chooses the port"
                        : string.IsNullOrEmpty(uvlhub.Options.Instance) ? null : OwnNames);
            }

            if (port.HostAddress is null or "0.0.0.0" or "::")
            {
                // Whatever the resource itself says of the port.
                yield return new Difference(
                    service.Name, DriftAspect.Port, subject, $"publishes {subject} to every machine that reaches this one", port.At,
                    LoopbackOnly);
            }
        }

        foreach (var endpoint in facts.Endpoints.Where(endpoint => !service.Ports.Any(port => DriftCheck.IsSamePort(endpoint, port))))
        {
            var subject = Subject(endpoint.TargetPort ?? 0, endpoint.Protocol == ProtocolType.Udp);
            yield return Differs(DriftAspect.Port, subject, $"only the model publishes {subject}", at: null);
        }

        static string Subject(int port, bool isUdp) => isUdp ? $"{port}/udp" : $"{port}";
    }

    private IEnumerable<Difference> Mounts()
    {
        foreach (var mount in service.Mounts)
        {
            if (facts.Mounts.FirstOrDefault(own => IsSameFolder(own, mount)) is not { } other)
            {
                yield return Differs(
                    DriftAspect.Volume, mount.Target,
                    $"mounts {mount.Source ?? "a volume of its own"} on {mount.Target}, the model does not", mount.At, EngineSocket.Is(mount.Source) ? EngineSocket.Refusal : null);
                continue;
            }

            var isBind = mount.Kind == ComposeMountKind.Bind;
            if (isBind != (other.Type == ContainerMountType.BindMount)
                || (isBind && mount.Source != Path.TrimEndingDirectorySeparator(other.Source!)))
            {
                yield return Differs(
                    DriftAspect.Volume, mount.Target, $"mounts {mount.Source} on {mount.Target}, the model {other.Source}", mount.At);
            }
            else if (mount.Kind == ComposeMountKind.Volume && other.Source != mount.Source)
            {
                yield return Differs(
                    DriftAspect.Volume, mount.Target, $"keeps {mount.Target} in {mount.Source}, the model in {other.Source}", mount.At,
                    file.Volume(mount.Source!) is { IsExternal: true } ? null : OwnVolumes);
            }

            if (mount.IsReadOnly != other.IsReadOnly)
            {
                yield return Differs(
                    DriftAspect.Volume, "read-only",
                    $"may {May(mount.IsReadOnly)} {mount.Target}, in the model {May(other.IsReadOnly)}", mount.At);
            }
        }

        foreach (var other in facts.Mounts.Where(own => !service.Mounts.Any(mount => IsSameFolder(own, mount))))
        {
            yield return Differs(DriftAspect.Volume, other.Target, $"only the model mounts {other.Target}", at: null);
        }

        static bool IsSameFolder(ContainerMountAnnotation own, ComposeMount mount) => own.Target.TrimEnd('/') == mount.Target.TrimEnd('/');

        static string May(bool isReadOnly) => isReadOnly ? "only read" : "write";
    }

    private IEnumerable<Difference> Rest()
    {
        var declares = service.Restart is not (null or "no");
        var restarts = facts.Resource.HasAnnotationOfType<RestartPolicy>();
        if (declares != restarts)
        {
            yield return Differs(
                DriftAspect.Restart, "restart",
                declares ? $"is started again ({service.Restart}), in the model not" : "only the model starts it again",
                declares ? service.LineOf("restart") : null, restarts ? RestartsAnyway : null);
        }

        if (service.HealthCheck is { IsDisabled: false } check && !facts.Resource.HasAnnotationOfType<HealthCheckAnnotation>())
        {
            yield return Differs(DriftAspect.HealthCheck, "healthcheck", "has a health check, in the model none", check.At);
        }

        foreach (var option in service.Options.Where(option => !option.IsIn(facts.EngineOptions)))
        {
            yield return Differs(
                DriftAspect.Option, option.Key, $"has {option.Key} {option.Value}, which the model does not pass on", option.At);
        }
    }

    private IEnumerable<Difference> Dependencies(IReadOnlyList<IResource> programs)
    {
        var awaited = Awaited(facts.Resource);
        return from dependency in service.DependsOn
               let declared = file.Service(dependency.Service)
               let other = declared is null ? null : programs.OfType<ContainerResource>()
                   .FirstOrDefault(candidate => DriftCheck.StandsFor(candidate, declared))
               where other is not null && !awaited.Contains(other)
               select Differs(
                   DriftAspect.DependsOn, dependency.Service, $"waits for {dependency.Service}, in the model not", dependency.At);
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

    private Difference Differs(DriftAspect aspect, string subject, string problem, SourceLine? at, string? reason = null) =>
        Difference.Of(facts.Resource, service.Name, aspect, subject, problem, at, reason);

    private static bool CopiesFiles(string dockerfile) => Dockerfile.Instructions(File.ReadAllLines(dockerfile))
        .Any(line => line.Instruction is "COPY" or "ADD");

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
