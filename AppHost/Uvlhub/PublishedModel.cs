using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// The model as it leaves the machine: what every target has a word for, read once from Aspire's model. A target only
/// spells it.
/// </summary>
internal sealed record PublishedModel
{
    /// <summary>The name of the whole: the compose project, the stack.</summary>
    public required string Name { get; init; }

    /// <summary>The version of the site's images.</summary>
    public required string Version { get; init; }

    /// <summary>The site's name on the network.</summary>
    public required PublishedValue Domain { get; init; }

    /// <summary>The services, in the order of AppHost.cs.</summary>
    public required IReadOnlyList<PublishedService> Services { get; init; }

    /// <summary>The variables that the person who deploys gives values to, secrets first.</summary>
    public IReadOnlyList<PublishedVariable> Variables =>
    [
        .. Services.SelectMany(service => service.Environment.Values).SelectMany(value => value.Variables)
            .Concat(Domain.Variables)
            .DistinctBy(variable => variable.Name)
            .OrderByDescending(variable => variable.IsSecret),
    ];

    /// <summary>Whether the site is served with TLS.</summary>
    public bool HasTls => Services.Any(service => service.Kind == PublishedKind.Gateway && service.Ports.Contains(443));

    /// <summary>The named volumes.</summary>
    public IReadOnlyList<string> Volumes =>
        [.. NamesOf(Services)];

    /// <summary>Those of some services.</summary>
    public static IEnumerable<string> NamesOf(IEnumerable<PublishedService> services) =>
        services.SelectMany(service => service.Volumes).Where(volume => !volume.IsFolder).Select(volume => volume.Name)
            .Distinct(StringComparer.Ordinal);

    /// <summary>Those of them that all containers of the site write to.</summary>
    public IReadOnlyList<string> SharedVolumes =>
        [.. Services.Where(service => service.Kind == PublishedKind.Replicated).SelectMany(service => service.Volumes).Select(volume => volume.Name).Distinct(StringComparer.Ordinal)];
}

/// <summary>What becomes of a service on the target.</summary>
internal enum PublishedKind
{
    /// <summary>Any number of equal containers serve.</summary>
    Replicated,

    /// <summary>There is one, with the data.</summary>
    Database,

    /// <summary>Runs once for every version, and ends.</summary>
    Job,

    /// <summary>Opens ports to the network.</summary>
    Gateway,

    /// <summary>Has the site's certificate renewed.</summary>
    Certificates,

    /// <summary>Updates the others by the engine; a swarm alone can do that without a gap.</summary>
    Updater,

    /// <summary>Anything else: one container.</summary>
    Single,
}

/// <summary>A container on the target.</summary>
internal sealed record PublishedService
{
    /// <summary>Its name, which is also its host name.</summary>
    public required string Name { get; init; }

    /// <summary>What becomes of it.</summary>
    public required PublishedKind Kind { get; init; }

    /// <summary>The image.</summary>
    public required PublishedImage Image { get; init; }

    /// <summary>The program in front of the command; <see langword="null"/> for the image's own.</summary>
    public string? Entrypoint { get; init; }

    /// <summary>The command; empty for the image's own.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>The environment.</summary>
    public IReadOnlyDictionary<string, PublishedValue> Environment { get; init; } = new Dictionary<string, PublishedValue>();

    /// <summary>Named volumes, and folders of the server.</summary>
    public IReadOnlyList<PublishedVolume> Volumes { get; init; } = [];

    /// <summary>Files of the checkout that the container reads.</summary>
    public IReadOnlyList<PublishedFile> Files { get; init; } = [];

    /// <summary>The ports on which it answers inside the network.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>What it waits for.</summary>
    public IReadOnlyList<PublishedDependency> DependsOn { get; init; } = [];

    /// <summary>How its health is asked; <see langword="null"/> if nobody asks.</summary>
    public PublishedProbe? Probe { get; init; }

    /// <summary>What else it is started with: its powers, its user, its limits.</summary>
    public IReadOnlyList<PublishedOption> Options { get; init; } = [];

    /// <summary>Whether what runs in it reads <c>NAME_FILE</c> where there is no <c>NAME</c>.</summary>
    public bool ReadsSecretFiles { get; init; }
}

/// <summary>An image.</summary>
/// <param name="Name">The name with its registry.</param>
/// <param name="Tag">The tag.</param>
/// <param name="IsSite">Whether it holds the checkout's code, so that its tag is the version.</param>
internal sealed record PublishedImage(string Name, string Tag, bool IsSite);

/// <summary>An option of the engine's.</summary>
/// <param name="Key">The key of a compose file that says it; the engine's own option where none does.</param>
/// <param name="Shape">How the key's values are written; <see langword="null"/> where no key says it.</param>
/// <param name="Value">Its value; empty for a switch.</param>
internal sealed record PublishedOption(string Key, OptionShape? Shape, string Value)
{
    /// <summary>For people.</summary>
    public override string ToString() => Value.Length == 0 ? Key : $"{Key} {Value}";
}

/// <summary>A named volume, or a folder of the server.</summary>
/// <param name="Name">Its name on the target; the path of a folder.</param>
/// <param name="Target">The folder inside the container.</param>
/// <param name="IsReadOnly">Whether the container must not write.</param>
internal sealed record PublishedVolume(string Name, string Target, bool IsReadOnly)
{
    /// <summary>Whether it is a folder: a name is a volume, and a path a folder.</summary>
    public bool IsFolder => Name.StartsWith('/');

    /// <summary>In compose's short form.</summary>
    public override string ToString() => $"{Name}:{Target}{(IsReadOnly ? ":ro" : "")}";
}

/// <summary>A file that the container reads.</summary>
/// <param name="Content">The content.</param>
/// <param name="Path">Where it lies beside the published files: relative, with slashes.</param>
/// <param name="Target">Where it lies in the container.</param>
/// <param name="IsConfiguration">Whether it is part of nginx's configuration.</param>
internal sealed record PublishedFile(ReadOnlyMemory<byte> Content, string Path, string Target, bool IsConfiguration);

/// <summary>What a service waits for.</summary>
/// <param name="Service">The other service.</param>
/// <param name="Condition">Until when.</param>
internal sealed record PublishedDependency(string Service, PublishedCondition Condition);

/// <summary>Until when a service waits for another.</summary>
internal enum PublishedCondition
{
    /// <summary>It has been started.</summary>
    Started,

    /// <summary>It is healthy.</summary>
    Healthy,

    /// <summary>It has ended without an error.</summary>
    Completed,
}

/// <summary>How a container's health is asked.</summary>
/// <param name="Command">A command inside the container; exit code 0 is healthy.</param>
internal sealed record PublishedProbe(IReadOnlyList<string> Command) : IResourceAnnotation
{
    /// <summary>How long it may be unhealthy at first. Default: as long as the target gives a site.</summary>
    public string? StartPeriod { get; init; }
}

/// <summary>Something that the person who deploys gives a value.</summary>
/// <param name="Name">The variable's name.</param>
/// <param name="Description">What it is.</param>
/// <param name="IsSecret">Whether it must not be seen.</param>
internal sealed record PublishedVariable(string Name, string Description, bool IsSecret);

/// <summary>Text with variables in it.</summary>
/// <param name="Parts">Text and <see cref="PublishedVariable"/>s, in order.</param>
internal sealed record PublishedValue(IReadOnlyList<object> Parts)
{
    /// <summary>The variables in it.</summary>
    public IEnumerable<PublishedVariable> Variables => Parts.OfType<PublishedVariable>();

    /// <summary>The one variable that it consists of; <see langword="null"/> if there is more or less.</summary>
    public PublishedVariable? Variable => Parts is [PublishedVariable only] ? only : null;

    /// <summary>Text alone.</summary>
    public static PublishedValue Text(string text) => new([text]);

    /// <summary>Spells it.</summary>
    public string Render(Func<string, string> text, Func<PublishedVariable, string> variable) =>
        string.Concat(Parts.Select(part => part is PublishedVariable known ? variable(known) : text((string)part)));
}
