namespace UvlhubAspire.Hosting.Compose;

/// <summary>
/// What a compose file declares, with its variables, anchors, merge keys and <c>extends</c> resolved and its paths made
/// absolute. Everything keeps the line that it came from.
/// </summary>
public sealed record ComposeFile
{
    /// <summary>The file's path; where an override file was read on top of it, still the first one.</summary>
    public required string Path { get; init; }

    /// <summary>The project's name: the file's <c>name</c>, else its folder's name as compose writes it.</summary>
    public required string Project { get; init; }

    /// <summary>The services, in the order of the file.</summary>
    public required IReadOnlyList<ComposeService> Services { get; init; }

    /// <summary>The named volumes of the top level.</summary>
    public required IReadOnlyList<ComposeVolume> Volumes { get; init; }

    /// <summary>The networks of the top level.</summary>
    public required IReadOnlyList<ComposeNetwork> Networks { get; init; }

    /// <summary>What could not be read.</summary>
    public required IReadOnlyList<ComposeFinding> Findings { get; init; }

    /// <summary>The service of a name; <see langword="null"/> if there is none.</summary>
    public ComposeService? Service(string name) => Services.FirstOrDefault(service => service.Name == name);

    /// <summary>The declaration of a named volume; <see langword="null"/> if the file has none.</summary>
    public ComposeVolume? Volume(string name) => Volumes.FirstOrDefault(volume => volume.Name == name);

    /// <summary>Reads a file, and what it extends.</summary>
    /// <param name="path">The file.</param>
    /// <param name="variables">The values for <c>${NAME}</c>; <see langword="null"/> means that the variable is not set.</param>
    /// <param name="overrides">A file whose declarations go on top, as compose does with <c>docker-compose.override.yml</c>.</param>
    /// <exception cref="UserErrorException">A file is no YAML or declares no services: file, line and reason.</exception>
    public static ComposeFile Read(string path, Func<string, string?> variables, string? overrides = null)
    {
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var file = ComposeFileReader.Read(path, folder, variables);
        var whole = overrides is null ? file : ComposeFileReader.Read(overrides, folder, variables).Over(file);
        return whole with { Findings = [.. whole.Findings, .. whole.Undeclared()] };
    }

    private IEnumerable<ComposeFinding> Undeclared()
    {
        foreach (var service in Services)
        {
            foreach (var mount in service.Mounts.Where(mount => mount.Kind == ComposeMountKind.Volume && Volume(mount.Source!) is null))
            {
                yield return new(
                    mount.At, service.Name, "volumes", $"the volume {mount.Source} is not declared under the top level's volumes");
            }

            foreach (var connection in service.Networks.Where(
                connection => connection.Name != "default" && Networks.All(network => network.Name != connection.Name)))
            {
                yield return new(
                    connection.At, service.Name, "networks",
                    $"the network {connection.Name} is not declared under the top level's networks");
            }

            foreach (var dependency in service.DependsOn.Where(dependency => dependency.IsRequired && Service(dependency.Service) is null))
            {
                yield return new(dependency.At, service.Name, "depends_on", $"there is no service {dependency.Service}");
            }

            if (service.Image is null && service.Build is null)
            {
                yield return new(service.At, service.Name, "image", "the service has neither an image nor a build", IsFatal: true);
            }
        }
    }

    private ComposeFile Over(ComposeFile first) => first with
    {
        Services =
        [
            .. first.Services.Select(service => Service(service.Name) is { } own ? own.Over(service) : service),
            .. Services.Where(service => first.Service(service.Name) is null),
        ],
        Volumes = [.. first.Volumes.Where(volume => Volume(volume.Name) is null), .. Volumes],
        Networks = [.. first.Networks.Where(network => Networks.All(own => own.Name != network.Name)), .. Networks],
        Findings = [.. first.Findings, .. Findings],
    };
}

/// <summary>A named volume.</summary>
/// <param name="Name">The name by which services refer to it.</param>
/// <param name="EngineName">The name on the engine that the file asks for; <see langword="null"/> if compose makes one up.</param>
/// <param name="IsExternal">Whether somebody else creates it.</param>
/// <param name="Driver">The driver, where it is not the engine's own.</param>
/// <param name="At">Where it is declared.</param>
public sealed record ComposeVolume(string Name, string? EngineName, bool IsExternal, string? Driver, SourceLine At);

/// <summary>A network.</summary>
/// <param name="Name">The name by which services refer to it.</param>
/// <param name="EngineName">The name on the engine that the file asks for; <see langword="null"/> if compose makes one up.</param>
/// <param name="IsExternal">Whether somebody else creates it.</param>
/// <param name="IsInternal">Whether it has no way out.</param>
/// <param name="Subnets">The address ranges that it is given.</param>
/// <param name="At">Where it is declared.</param>
public sealed record ComposeNetwork(
    string Name, string? EngineName, bool IsExternal, bool IsInternal, IReadOnlyList<string> Subnets, SourceLine At);
