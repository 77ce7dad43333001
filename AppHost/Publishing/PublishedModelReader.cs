using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using UvlhubAspire.AppHost.Services;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Publishing;

/// <summary>Reads Aspire's model into what leaves the machine. Nothing secret comes along: a secret becomes a variable.</summary>
/// <param name="uvlhub">The checkout and the settings.</param>
/// <param name="context">The publishing; its services are those of the application.</param>
internal sealed class PublishedModelReader(UvlhubEnvironment uvlhub, DistributedApplicationExecutionContext context)
{
    // Longer than nginx remembers an address.
    private const string DrainSeconds = "3";

    private const string NoNewPrivileges = "no-new-privileges";

    // What only makes sense beside a dashboard.
    private static readonly string[] s_localPrefixes = ["OTEL_", "ASPIRE_", "DOTNET_"];

    private static readonly Dictionary<string, string> s_descriptions = new(StringComparer.Ordinal)
    {
        [SecretKeys.RootPassword] = "the password of MariaDB's root; the first start sets it",
        [SecretKeys.UserPassword] = "the password with which the site logs in to MariaDB; the first start sets it",
        [SecretKeys.SecretKey] = "the key of Flask's sessions, long and random: openssl rand -hex 32",
        [SecretKeys.BackupPassword] = "the password that the backups are encrypted with; keep it elsewhere too: without it nobody can read them",
        [SecretKeys.BackupSshKey] = "the private key, without a passphrase, that the machine with the backups lets in",
        ["AWS_ACCESS_KEY_ID"] = "the key of the bucket with the backups",
        ["AWS_SECRET_ACCESS_KEY"] = "the secret of that key",
        ["DOMAIN"] = "the site's name on the network, such as uvlhub.example.org",
    };

    private static readonly EnumerationOptions s_ownFiles = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
    };

    private readonly Dictionary<string, string> _volumes = new(StringComparer.Ordinal)
    {
        [uvlhub.Options.DataVolume ?? uvlhub.Names.DataVolume(uvlhub.Checkout.Name)] = "db_data",
        [uvlhub.Names.UploadsVolume(uvlhub.Checkout.Name)] = "uploads",
        [uvlhub.Names.SnapshotsVolume(uvlhub.Checkout.Name)] = "snapshots",
        [uvlhub.Names.CertificatesVolume(uvlhub.Checkout.Name)] = "letsencrypt",
        [uvlhub.Names.WebrootVolume(uvlhub.Checkout.Name)] = "webroot",
    };

    /// <summary>The containers that leave the machine, in the order of AppHost.cs.</summary>
    public static IEnumerable<ContainerResource> Containers(DistributedApplicationModel model) =>
        model.Resources.OfType<ContainerResource>().Where(container => !container.IsExcludedFromPublish());

    /// <summary>Reads the model.</summary>
    /// <exception cref="DistributedApplicationException">A container needs something that no target has a word for; the
    /// message names it.</exception>
    public async Task<PublishedModel> ReadAsync(DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        var containers = Containers(model).ToList();
        List<PublishedService> services = [];
        foreach (var container in containers)
        {
            services.Add(await ReadAsync(container, containers, cancellationToken));
        }

        return new PublishedModel
        {
            Name = uvlhub.PublishedName,
            Version = services.First(service => service.Kind == PublishedKind.Replicated).Image.Tag,
            Domain = Value("DOMAIN", uvlhub.Options.Domain ?? uvlhub.Checkout.Environment.GetValueOrDefault("DOMAIN", "localhost")),
            Services = services,
        };
    }

    private async Task<PublishedService> ReadAsync(
        ContainerResource container, List<ContainerResource> all, CancellationToken cancellationToken)
    {
        var facts = await ContainerFacts.ReadAsync(container, context, cancellationToken);
        List<PublishedOption> options = [.. Options(facts.EngineOptions)];
        return new PublishedService
        {
            Name = container.Name,
            Kind = Kind(container),
            Image = await ImageAsync(facts, cancellationToken),
            Entrypoint = container.Entrypoint,
            Command = Started(container, [.. Command(facts)], options),
            Environment = Environment(facts),
            Volumes = [.. facts.Mounts.Where(mount => mount.Type == ContainerMountType.Volume).Select(Volume)],
            Files = [.. facts.Mounts.Where(mount => mount.Type == ContainerMountType.BindMount).SelectMany(mount => Files(container, mount))],
            Ports = [.. facts.Endpoints.Select(endpoint => endpoint.TargetPort).OfType<int>().Distinct()],
            DependsOn = [.. Dependencies(container, all)],
            Probe = container.Annotations.OfType<PublishedProbe>().LastOrDefault(),
            Options = options,
            ReadsSecretFiles = container is FlaskResource or MariaDBServerResource,
        };
    }

    private static PublishedKind Kind(ContainerResource container) =>
        container.Annotations.OfType<PublishedAs>().LastOrDefault()?.Kind ?? PublishedKind.Single;

    /// <summary>Reads what a container is started with. Its health is the probe's, and every target has an init process.</summary>
    /// <param name="words">Options of <c>docker create</c>.</param>
    internal static IEnumerable<PublishedOption> Options(IReadOnlyList<string> words) =>
        from option in EngineOptionKeys.Read(words).Distinct()
        where option.Key is not ("init" or "--no-healthcheck") && !option.Key.StartsWith("--health-", StringComparison.Ordinal)
        select new PublishedOption(option.Key, option.Shape, option.Value);

    private async Task<PublishedImage> ImageAsync(ContainerFacts facts, CancellationToken cancellationToken)
    {
        var name = facts.Origin is null ? facts.Image
            : (await context.Services.GetRequiredService<ImageChooser>().ChooseAsync(facts.Resource, cancellationToken)).Image;
        var separator = name.LastIndexOf(':');
        return separator > name.LastIndexOf('/')
            ? new PublishedImage(name[..separator], name[(separator + 1)..], facts.Resource is FlaskResource)
            : new PublishedImage(name, "latest", IsSite: false);
    }

    private IEnumerable<string> Command(ContainerFacts facts) => facts.Command
        .Select(argument => Read(facts.Resource, "its command", argument))
        .Select(value => value.Variables.Any()
            ? throw new DistributedApplicationException(
                $"{facts.Resource.Name}: its command has a variable in it, which would show in every process list")
            : value.Render(text => text, _ => ""));

    // What an orchestrator does not do: order, secrets as variables, and an end without a broken request.
    private static IReadOnlyList<string> Started(
        ContainerResource container, IReadOnlyList<string> command, IReadOnlyList<PublishedOption> options) =>
        container is not FlaskResource flask ? command :
    [
        .. FlaskBuilderExtensions.StartupScript,
        // A swarm passes over the option of this name.
        .. options.Any(option => option.Value == NoNewPrivileges) ? [$"--{NoNewPrivileges}"] : Array.Empty<string>(),
        .. flask.IsApplication ? ["--wait-for-schema"] : Array.Empty<string>(),
        .. flask.IsSite ? ["--drain", DrainSeconds] : Array.Empty<string>(),
        "--", .. command,
    ];

    private Dictionary<string, PublishedValue> Environment(ContainerFacts facts) => facts.Environment
        .Where(variable => !s_localPrefixes.Any(prefix => variable.Key.StartsWith(prefix, StringComparison.Ordinal)))
        .ToDictionary(
            variable => variable.Key,
            variable => variable.Value is string text ? Value(variable.Key, text) : Read(facts.Resource, variable.Key, variable.Value),
            StringComparer.Ordinal);

    // A checkout's file may hold what nobody else shall see, or what is to be filled in where it is deployed.
    private static PublishedValue Value(string key, string text) =>
        SecretKeys.IsSecret(key) || SecretKeys.IsPlaceholder(text)
            ? new PublishedValue(
                [new PublishedVariable(key, s_descriptions.GetValueOrDefault(key, "of the checkout's settings"), SecretKeys.IsSecret(key))])
            : PublishedValue.Text(text);

    private PublishedValue Read(ContainerResource container, string place, object value) => value switch
    {
        string text => PublishedValue.Text(text),
        IResourceBuilder<ParameterResource> parameter => Read(container, place, parameter.Resource),
        ParameterResource parameter => new PublishedValue([Variable(parameter)]),
        EndpointReference endpoint => Read(container, place, endpoint.Property(EndpointProperty.Url)),
        EndpointReferenceExpression endpoint => PublishedValue.Text(Text(endpoint)),
        ConnectionStringReference reference => Read(container, place, reference.Resource.ConnectionStringExpression),
        ReferenceExpression expression => new PublishedValue([.. Parts(container, place, expression)]),
        IFormattable formattable => PublishedValue.Text(formattable.ToString(null, CultureInfo.InvariantCulture)),
        _ => throw new DistributedApplicationException($"{container.Name}: {place} is a {value.GetType().Name}, which cannot be published"),
    };

    private IEnumerable<object> Parts(ContainerResource container, string place, ReferenceExpression expression)
    {
        // Each provider becomes a character that no text has; what stands between them is the format's own text.
        const char First = '\uE000';
        var marks = Enumerable.Range(0, expression.ValueProviders.Count).Select(index => (object)(char)(First + index)).ToArray();
        var text = new StringBuilder();
        foreach (var character in string.Format(CultureInfo.InvariantCulture, expression.Format, marks))
        {
            if (character < First || character >= First + marks.Length)
            {
                text.Append(character);
                continue;
            }

            if (text.Length > 0)
            {
                yield return text.ToString();
                text.Clear();
            }

            foreach (var part in Read(container, place, expression.ValueProviders[character - First]).Parts)
            {
                yield return part;
            }
        }

        if (text.Length > 0)
        {
            yield return text.ToString();
        }
    }

    private PublishedVariable Variable(ParameterResource parameter)
    {
        var name = parameter.Name;
        var prefix = uvlhub.Profile.SecretPrefix;
        var own = name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
        var variable = own.ToUpperInvariant().Replace('-', '_');
        return new PublishedVariable(variable, s_descriptions.GetValueOrDefault(variable, own.Replace('-', ' ')), parameter.Secret);
    }

    private static string Text(EndpointReferenceExpression expression)
    {
        var endpoint = expression.Endpoint;
        var annotation = endpoint.Resource.Annotations.OfType<EndpointAnnotation>().Single(known => known.Name == endpoint.EndpointName);
        var (host, port) = (endpoint.Resource.Name, annotation.TargetPort?.ToString(CultureInfo.InvariantCulture));
        return expression.Property switch
        {
            EndpointProperty.Host or EndpointProperty.IPV4Host => host,
            EndpointProperty.Port or EndpointProperty.TargetPort => port!,
            EndpointProperty.HostAndPort => $"{host}:{port}",
            EndpointProperty.Scheme => annotation.UriScheme,
            EndpointProperty.Url => $"{annotation.UriScheme}://{host}:{port}",
            _ =>
                throw new DistributedApplicationException(
                    $"{expression.Property} of {host}'s endpoint {annotation.Name} cannot be published"),
        };
    }

    private PublishedVolume Volume(ContainerMountAnnotation mount)
    {
        var volume = new PublishedVolume(mount.Source!, mount.Target, mount.IsReadOnly);
        return volume.IsFolder ? volume : volume with { Name = _volumes.GetValueOrDefault(volume.Name) ?? Names.Clean(volume.Name, '_') };
    }

    /// <summary>Reads what a container has of this machine's files. Only nginx's own folders are for others to see; whatever else stands
    /// beside them, or is led to from there, stays here.</summary>
    /// <exception cref="DistributedApplicationException">It has something else; the message names it.</exception>
    internal static IEnumerable<PublishedFile> Files(ContainerResource container, ContainerMountAnnotation mount)
    {
        var (source, target) = (mount.Source!, mount.Target.TrimEnd('/'));
        var isOpenFolder = Directory.Exists(source) && Kind(container) == PublishedKind.Gateway;
        if (IsLink(source) || IsPrivate(Path.GetFileName(source)) || !(isOpenFolder || File.Exists(source)))
        {
            throw new DistributedApplicationException(
                $"{container.Name} mounts {source}, which does not leave this machine: files for what is published belong into an image or a "
                + $"volume. Take the mount out of the compose file, or leave the service out ({UvlhubOptions.Section}:"
                + $"{nameof(UvlhubOptions.Services)}=-{container.Name})");
        }

        IEnumerable<string> files = isOpenFolder
            ? Directory.EnumerateFiles(source, "*", s_ownFiles).Where(file => !IsPrivate(Path.GetRelativePath(source, file)))
                .Order(StringComparer.Ordinal)
            : [source];
        foreach (var file in files)
        {
            var below = file == source ? "" : $"/{Path.GetRelativePath(source, file).Replace('\\', '/')}";
            yield return new PublishedFile(
                File.ReadAllBytes(file), $"{container.Name}/{Path.GetFileName(target)}{below}", $"{target}{below}", IsConfiguration(mount));
        }
    }

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    private static bool IsPrivate(string path) => path.Split(Path.DirectorySeparatorChar)
        .Any(name => name == ".git" || name.StartsWith(".env", StringComparison.Ordinal));

    private static bool IsConfiguration(ContainerMountAnnotation mount) =>
        mount.Target is NginxBuilderExtensions.ConfigurationFile or TlsConfiguration.Folder;

    private static IEnumerable<PublishedDependency> Dependencies(ContainerResource container, List<ContainerResource> all) =>
        container.Annotations
        .OfType<WaitAnnotation>()
        .Select(wait => (Resource: wait.Resource is IResourceWithParent { Parent: var parent } ? parent : wait.Resource, wait.WaitType))
        .Where(wait => all.Contains(wait.Resource))
        .GroupBy(wait => wait.Resource.Name)
        .Select(group => new PublishedDependency(group.Key, group.Max(wait => wait.WaitType switch
        {
            WaitType.WaitForCompletion => PublishedCondition.Completed,
            WaitType.WaitUntilHealthy => PublishedCondition.Healthy,
            _ => PublishedCondition.Started,
        })));
}
