namespace UvlhubAspire.Hosting.Compose;

/// <summary>One service of a compose file. A list is empty where the file says nothing.</summary>
public sealed record ComposeService
{
    /// <summary>The service's name, which is also its host name for the others.</summary>
    public required string Name { get; init; }

    /// <summary>Where it begins.</summary>
    public required SourceLine At { get; init; }

    /// <summary>The image that it runs, or the name that its build is given.</summary>
    public string? Image { get; init; }

    /// <summary>How its image is built.</summary>
    public ComposeBuild? Build { get; init; }

    /// <summary>The name of its container; <see langword="null"/> if compose makes one up.</summary>
    public string? ContainerName { get; init; }

    /// <summary>The command's words; <see langword="null"/> for the image's own.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>The entrypoint's words; <see langword="null"/> for the image's own.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>Its variables, in the order of the file.</summary>
    public IReadOnlyList<ComposeVariable> Environment { get; init; } = [];

    /// <summary>Files with more variables; what <see cref="Environment"/> says wins.</summary>
    public IReadOnlyList<ComposeEnvironmentFile> EnvironmentFiles { get; init; } = [];

    /// <summary>Its ports on the host, ranges taken apart.</summary>
    public IReadOnlyList<ComposePort> Ports { get; init; } = [];

    /// <summary>Ports that only other containers reach, such as <c>5000</c> or <c>53/udp</c>.</summary>
    public IReadOnlyList<string> Expose { get; init; } = [];

    /// <summary>Its folders and volumes.</summary>
    public IReadOnlyList<ComposeMount> Mounts { get; init; } = [];

    /// <summary>The networks that it names; empty means the default one.</summary>
    public IReadOnlyList<ComposeConnection> Networks { get; init; } = [];

    /// <summary>What has to be there before it.</summary>
    public IReadOnlyList<ComposeDependency> DependsOn { get; init; } = [];

    /// <summary>How the engine finds out whether it works.</summary>
    public ComposeHealthCheck? HealthCheck { get; init; }

    /// <summary>The restart policy in the engine's words: <c>no</c>, <c>always</c>, <c>unless-stopped</c>, <c>on-failure[:N]</c>.</summary>
    public string? Restart => OwnRestart ?? DeployRestart;

    /// <summary>What the key <c>restart</c> says; it wins.</summary>
    public string? OwnRestart { get; init; }

    /// <summary>What <c>deploy.restart_policy</c> says.</summary>
    public string? DeployRestart { get; init; }

    /// <summary>How many containers it has; <see langword="null"/> if the file does not say.</summary>
    public int? Replicas { get; init; }

    /// <summary>The profiles that it belongs to; with one, it runs only when that is chosen.</summary>
    public IReadOnlyList<string> Profiles { get; init; } = [];

    /// <summary>When its image is pulled: <c>always</c>, <c>missing</c>, <c>never</c>, ….</summary>
    public string? PullPolicy { get; init; }

    /// <summary>Whatever else the engine has an option for, ready to be passed on.</summary>
    public IReadOnlyList<ComposeEngineOption> Options { get; init; } = [];

    /// <summary>Keys that compose knows and the model has no word for.</summary>
    public IReadOnlyList<ComposeUnsupportedKey> Unsupported { get; init; } = [];

    /// <summary>Where each key stands.</summary>
    public IReadOnlyDictionary<string, SourceLine> Lines { get; init; } = new Dictionary<string, SourceLine>();

    /// <summary>Where a key stands; the service's own line if it has none.</summary>
    public SourceLine LineOf(string key) => Lines.TryGetValue(key, out var line) ? line : At;

    /// <summary>The values of one of <see cref="Options"/>, by its key in the file.</summary>
    public IEnumerable<string> Option(string key) => Options.Where(option => option.Key == key).Select(option => option.Value);

    /// <summary>
    /// This service on top of one that it extends or overrides, by compose's rules: single values and commands are
    /// replaced, lists go on, and what has a name (a variable, a mount's target, a network) is replaced by name.
    /// </summary>
    /// <param name="other">The service below.</param>
    public ComposeService Over(ComposeService other) => this with
    {
        Image = Image ?? other.Image,
        Build = Build is null || other.Build is null ? Build ?? other.Build : Build.Over(other.Build),
        ContainerName = ContainerName ?? other.ContainerName,
        Command = Command ?? other.Command,
        Entrypoint = Entrypoint ?? other.Entrypoint,
        Environment = ByName(Environment, other.Environment, variable => variable.Name),
        EnvironmentFiles = [.. other.EnvironmentFiles, .. EnvironmentFiles],
        Ports = ByName(Ports, other.Ports, port => (port.Target, port.Published, port.HostAddress, port.Protocol)),
        Expose = [.. other.Expose.Union(Expose)],
        Mounts = ByName(Mounts, other.Mounts, mount => mount.Target),
        Networks = ByName(Networks, other.Networks, network => network.Name),
        DependsOn = ByName(DependsOn, other.DependsOn, dependency => dependency.Service),
        HealthCheck = HealthCheck is null || other.HealthCheck is null
            ? HealthCheck ?? other.HealthCheck
            : HealthCheck.Over(other.HealthCheck),
        OwnRestart = OwnRestart ?? other.OwnRestart,
        DeployRestart = DeployRestart ?? other.DeployRestart,
        Replicas = Replicas ?? other.Replicas,
        Profiles = [.. other.Profiles.Union(Profiles)],
        PullPolicy = PullPolicy ?? other.PullPolicy,
        Options =
        [
            .. other.Options.Where(below => below.IsOneOfMany
                ? !Options.Any(own => own.Key == below.Key && own.Name == below.Name)
                : Options.All(own => own.Key != below.Key)),
            .. Options,
        ],
        Unsupported = ByName(Unsupported, other.Unsupported, key => key.Key),
        Lines = other.Lines.Concat(Lines).GroupBy(line => line.Key).ToDictionary(lines => lines.Key, lines => lines.Last().Value),
    };

    private static IReadOnlyList<T> ByName<T, TName>(IReadOnlyList<T> own, IReadOnlyList<T> below, Func<T, TName> name)
    {
        var replaced = own.Select(name).ToHashSet();
        return [.. below.Where(item => !replaced.Contains(name(item))), .. own];
    }
}

/// <summary>How an image is built.</summary>
/// <param name="Context">The folder that is sent to the builder.</param>
/// <param name="Dockerfile">The Dockerfile's path. Default: <c>Dockerfile</c> in the context.</param>
/// <param name="Target">The stage at which it ends; <see langword="null"/> for the last one.</param>
/// <param name="Arguments">Build arguments; a <see langword="null"/> value is taken from the environment.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeBuild(
    string? Context, string? Dockerfile, string? Target, IReadOnlyList<ComposeVariable> Arguments, SourceLine At)
{
    /// <summary>The Dockerfile's absolute path.</summary>
    public string DockerfilePath => Path.GetFullPath(Dockerfile ?? "Dockerfile", Context ?? ".");

    internal ComposeBuild Over(ComposeBuild other) => new(
        Context ?? other.Context,
        Dockerfile ?? other.Dockerfile,
        Target ?? other.Target,
        [.. other.Arguments.Where(below => Arguments.All(own => own.Name != below.Name)), .. Arguments],
        At);
}

/// <summary>A variable; without a value it is passed on from the environment of whoever starts compose.</summary>
/// <param name="Name">The variable's name.</param>
/// <param name="Value">Its value; <see langword="null"/> if it has none in the file.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeVariable(string Name, string? Value, SourceLine At);

/// <summary>A file with variables.</summary>
/// <param name="Path">Its absolute path.</param>
/// <param name="IsRequired">Whether the service must not start without it.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeEnvironmentFile(string Path, bool IsRequired, SourceLine At)
{
    /// <summary>The variables of the file, or of its example where a checkout has only that; <see langword="null"/> if
    /// there is neither.</summary>
    /// <exception cref="UserErrorException">The file is malformed.</exception>
    public IReadOnlyDictionary<string, string>? Read() =>
        new[] { Path, $"{Path}.example" }.FirstOrDefault(File.Exists) is { } file ? DotEnvFile.Read(file).Values : null;
}

/// <summary>A port of the container that the host has as well.</summary>
/// <param name="Target">The port inside the container.</param>
/// <param name="Published">The port on the host; <see langword="null"/> for any.</param>
/// <param name="HostAddress">The host's address that it is bound to; <see langword="null"/> for all.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
/// <param name="AppProtocol">What is spoken on it, such as <c>http</c>, where the file says so.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposePort(int Target, int? Published, string? HostAddress, string Protocol, string? AppProtocol, SourceLine At);

/// <summary>What a container's folder is.</summary>
public enum ComposeMountKind
{
    /// <summary>A folder or file of the host.</summary>
    Bind,

    /// <summary>A volume with a name.</summary>
    Volume,

    /// <summary>A volume that belongs to the one container.</summary>
    Anonymous,
}

/// <summary>A folder of the container that lives elsewhere.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Source">A path of the host or a volume's name.</param>
/// <param name="Target">The path inside the container.</param>
/// <param name="IsReadOnly">Whether the container must not write.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeMount(ComposeMountKind Kind, string? Source, string Target, bool IsReadOnly, SourceLine At);

/// <summary>A network that a service is on.</summary>
/// <param name="Name">The network's name in the file.</param>
/// <param name="Aliases">The service's further names there.</param>
/// <param name="Address">A fixed address, where one is asked for.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeConnection(string Name, IReadOnlyList<string> Aliases, string? Address, SourceLine At);

/// <summary>How far another service has to be.</summary>
public enum ComposeCondition
{
    /// <summary>It runs.</summary>
    Started,

    /// <summary>Its health check passes.</summary>
    Healthy,

    /// <summary>It has ended with exit code 0.</summary>
    Completed,
}

/// <summary>Another service that has to be there first.</summary>
/// <param name="Service">The other service's name.</param>
/// <param name="Condition">How far it has to be.</param>
/// <param name="IsRequired">Whether its absence is an error.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeDependency(string Service, ComposeCondition Condition, bool IsRequired, SourceLine At);

/// <summary>How the engine finds out whether a container works. What is <see langword="null"/> has the engine's default.</summary>
/// <param name="Test">The command's words, of which the first is <c>CMD</c> or <c>CMD-SHELL</c>, or <c>NONE</c> alone;
/// <see langword="null"/> for the image's own.</param>
/// <param name="IsSwitchedOff">What the key <c>disable</c> says.</param>
/// <param name="Interval">The time between two checks, as <c>30s</c> or <c>1m30s</c>.</param>
/// <param name="Timeout">The time after which a check has failed.</param>
/// <param name="Retries">How many failures in a row make it unhealthy.</param>
/// <param name="StartPeriod">The time in which failures do not count.</param>
/// <param name="StartInterval">The time between two checks within <paramref name="StartPeriod"/>.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeHealthCheck(
    IReadOnlyList<string>? Test,
    bool IsSwitchedOff,
    string? Interval,
    string? Timeout,
    int? Retries,
    string? StartPeriod,
    string? StartInterval,
    SourceLine At)
{
    /// <summary>Whether not even the image's own check runs.</summary>
    public bool IsDisabled => IsSwitchedOff || Test is ["NONE"];

    internal ComposeHealthCheck Over(ComposeHealthCheck other) => new(
        Test ?? other.Test,
        IsSwitchedOff || other.IsSwitchedOff,
        Interval ?? other.Interval,
        Timeout ?? other.Timeout,
        Retries ?? other.Retries,
        StartPeriod ?? other.StartPeriod,
        StartInterval ?? other.StartInterval,
        At);
}

/// <summary>An option of <c>docker create</c>.</summary>
/// <param name="Key">The key in the compose file, such as <c>cap_add</c>.</param>
/// <param name="Argument">The engine's option, such as <c>--cap-add</c>.</param>
/// <param name="Value">Its value; empty for a switch.</param>
/// <param name="IsOneOfMany">Whether the key is a list, of which this is one entry.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeEngineOption(string Key, string Argument, string Value, bool IsOneOfMany, SourceLine At)
{
    /// <summary>What an entry of a list is replaced by: the part before <c>=</c>, if it has one.</summary>
    public string Name => Value.Split('=', 2)[0];

    /// <summary>The words to pass on.</summary>
    public IEnumerable<string> Words => Value.Length == 0 ? [Argument] : [Argument, Value];

    /// <summary>Whether it stands among options already.</summary>
    public bool IsIn(IReadOnlyList<string> options)
    {
        var value = Plain(Value);
        for (var i = 0; i < options.Count; i++)
        {
            var next = i + 1 < options.Count ? Plain(options[i + 1]) : null;
            if ((options[i] == Argument && (value.Length == 0 || next == value)) || options[i] == $"{Argument}={Value}")
            {
                return true;
            }
        }

        return false;

        // '2gb' and '2g' are one size.
        static string Plain(string text) =>
            text.Length > 2 && text[^1] == 'b' && char.IsAsciiLetter(text[^2]) && char.IsAsciiDigit(text[0]) ? text[..^1] : text;
    }
}

/// <summary>A key that compose knows and the model has no word for.</summary>
/// <param name="Key">The key.</param>
/// <param name="Reason">Why not, or what to do instead.</param>
/// <param name="At">Where it stands.</param>
public sealed record ComposeUnsupportedKey(string Key, string Reason, SourceLine At);
