using YamlDotNet.RepresentationModel;

namespace UvlhubAspire.Hosting.Compose;

/// <summary>Reads one file with what its services extend.</summary>
public sealed class ComposeFileReader
{
    private readonly string _path;
    private readonly string _folder;
    private readonly Func<string, string?> _variables;
    private readonly ComposeYaml _yaml;
    private readonly IReadOnlyList<ComposeEntry> _top;
    private readonly IReadOnlyDictionary<(string Key, string Name), string> _files;
    private readonly Dictionary<string, ComposeFileReader> _extended;

    private ComposeFileReader(
        string path, string folder, Func<string, string?> variables, Dictionary<string, ComposeFileReader> extended,
        IReadOnlyDictionary<(string Key, string Name), string>? files = null)
    {
        (_path, _folder, _variables, _extended) = (path, folder, variables, extended);
        _yaml = ComposeYaml.Load(path, variables);
        _extended[path] = this;
        _top = _yaml.Entries(_yaml.Root, "the file");
        // Those of the first file, as under compose: it is what runs.
        _files = files ?? ReadFiles();
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="folder">The folder that its relative paths start from.</param>
    /// <param name="variables">The values for <c>${NAME}</c>.</param>
    /// <exception cref="UserErrorException">A file is no YAML or declares no services.</exception>
    public static ComposeFile Read(string path, string folder, Func<string, string?> variables)
    {
        var reader = new ComposeFileReader(Path.GetFullPath(path), folder, variables, new(StringComparer.Ordinal));
        return reader.ReadFile();
    }

    private ComposeFile ReadFile()
    {
        if (Top("services") is not { Value: YamlMappingNode })
        {
            throw new UserErrorException(
                "this is no compose file: it has no 'services:' with services under it", _path, Top("services") is { } other
                    ? _yaml.At(other.Key).Line
                    : 1);
        }

        var project = Path.GetFileName(_folder);
        foreach (var (name, key, value) in _top)
        {
            switch (name)
            {
                case "name":
                    project = _yaml.Text(value, name) ?? project;
                    break;
                case "include":
                    _yaml.Note(key, name, "included files are not read; what they declare is missing");
                    break;
                case "services" or "volumes" or "networks" or "secrets" or "configs" or "version" or "models":
                case var _ when name.StartsWith("x-", StringComparison.Ordinal):
                    break;
                default:
                    _yaml.Note(key, name, "no key of a compose file that is known; is it misspelt?");
                    break;
            }
        }

        return new ComposeFile
        {
            Path = _path,
            Project = ProjectName(project),
            Services = [.. ServiceEntries().Select(entry => ReadService(entry, entry.Name, []))],
            Volumes = [.. Declarations("volumes").Select(ReadVolume)],
            Networks = [.. Declarations("networks").Select(ReadNetwork)],
            // A service that others extend is read once for each of them.
            Findings = [.. _extended.Values.SelectMany(reader => reader._yaml.Findings).Distinct()],
        };
    }

    // What is wrong in a service that is extended is wrong with the one that extends it.
    private ComposeService ReadService(ComposeEntry entry, string owner, IReadOnlyList<string> extending)
    {
        _yaml.CurrentService = owner;
        try
        {
            var service = new ComposeServiceReader(_yaml, _folder, _files).Read(entry.Name, entry.Key, entry.Value);
            var extends = entry.Value is YamlMappingNode
                ? _yaml.Entries(entry.Value, entry.Name).FirstOrDefault(key => key.Name == "extends")
                : null;
            return extends is not null && ReadExtended(extends, owner, [.. extending, $"{_path}|{entry.Name}"]) is { } other
                ? service.Over(other)
                : service;
        }
        finally
        {
            _yaml.CurrentService = extending.Count == 0 ? null : _yaml.CurrentService;
        }
    }

    private ComposeService? ReadExtended(ComposeEntry extends, string owner, IReadOnlyList<string> extending)
    {
        string? name = null, file = null;
        if (extends.Value is YamlScalarNode)
        {
            name = _yaml.Text(extends.Value, "extends");
        }
        else
        {
            foreach (var entry in _yaml.Entries(extends.Value, "extends"))
            {
                (name, file) = entry.Name switch
                {
                    "service" => (_yaml.Text(entry.Value, "extends"), file),
                    "file" => (name, _yaml.Text(entry.Value, "extends")),
                    _ => (name, file),
                };
            }
        }

        var path = file is null ? _path : Path.GetFullPath(file, _folder);
        if (name is null || extending.Contains($"{path}|{name}"))
        {
            _yaml.Note(extends.Key, "extends", name is null ? "names no service" : $"{name} extends itself", isFatal: true);
            return null;
        }

        if (!File.Exists(path))
        {
            _yaml.Note(extends.Key, "extends", $"there is no file {path}", isFatal: true);
            return null;
        }

        // What another file declares has paths of its own.
        var reader = _extended.TryGetValue(path, out var known)
            ? known
            : new ComposeFileReader(path, Path.GetDirectoryName(path)!, _variables, _extended, _files);
        if (reader.ServiceEntries().FirstOrDefault(entry => entry.Name == name) is not { } other)
        {
            _yaml.Note(extends.Key, "extends", $"{path} has no service {name}", isFatal: true);
            return null;
        }

        return reader.ReadService(other, owner, extending);
    }

    private ComposeVolume ReadVolume(ComposeEntry entry)
    {
        var volume = new ComposeVolume(entry.Name, null, IsExternal: false, null, _yaml.At(entry.Key));
        foreach (var (name, key, value) in _yaml.Entries(entry.Value, entry.Name))
        {
            switch (name)
            {
                case "name": volume = volume with { EngineName = _yaml.Text(value, name) }; break;
                case "external": volume = volume with { IsExternal = _yaml.Switch(value, name) }; break;
                case "driver": volume = volume with { Driver = _yaml.Text(value, name) is "local" ? null : _yaml.Text(value, name) }; break;
                case "labels": break;
                case var _ when name.StartsWith("x-", StringComparison.Ordinal): break;
                default: _yaml.Note(key, $"volumes.{entry.Name}.{name}", "not taken over; the volume is an ordinary one"); break;
            }
        }

        return volume;
    }

    private ComposeNetwork ReadNetwork(ComposeEntry entry)
    {
        var network = new ComposeNetwork(entry.Name, null, IsExternal: false, IsInternal: false, [], _yaml.At(entry.Key));
        foreach (var (name, _, value) in _yaml.Entries(entry.Value, entry.Name))
        {
            network = name switch
            {
                "name" => network with { EngineName = _yaml.Text(value, name) },
                "external" => network with { IsExternal = _yaml.Switch(value, name) },
                "internal" => network with { IsInternal = _yaml.Switch(value, name) },
                "ipam" => network with { Subnets = [.. Subnets(value)] },
                _ => network,
            };
        }

        return network;
    }

    private IEnumerable<string> Subnets(YamlNode ipam) =>
        from entry in _yaml.Entries(ipam, "ipam")
        where entry.Name == "config"
        from range in _yaml.Items(entry.Value, "ipam.config")
        from field in _yaml.Entries(range, "ipam.config")
        where field.Name == "subnet"
        select _yaml.Text(field.Value, "subnet") into subnet
        where subnet is not null
        select subnet;

    private Dictionary<(string, string), string> ReadFiles()
    {
        var files = new Dictionary<(string, string), string>();
        foreach (var key in new[] { "secrets", "configs" })
        {
            foreach (var entry in Declarations(key))
            {
                if (_yaml.Entries(entry.Value, entry.Name).FirstOrDefault(field => field.Name == "file") is { } file
                    && _yaml.Text(file.Value, key) is { } path)
                {
                    files[(key, entry.Name)] = ComposeMountSyntax.HostPath(path, _folder);
                }
            }
        }

        return files;
    }

    private IReadOnlyList<ComposeEntry> ServiceEntries() =>
        [.. Declarations("services").Where(entry => !entry.Name.StartsWith("x-", StringComparison.Ordinal))];

    private IReadOnlyList<ComposeEntry> Declarations(string key) => Top(key) is { } entry ? _yaml.Entries(entry.Value, key) : [];

    private ComposeEntry? Top(string key) => _top.FirstOrDefault(entry => entry.Name == key);

    // Compose: lower case, and only letters, digits, dashes and underscores, beginning with a letter or digit.
    private static string ProjectName(string name) =>
        string.Concat(name.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')).TrimStart('-', '_');
}
