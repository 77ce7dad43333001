namespace UvlhubAspire.AppHost.Images;

/// <summary>What pip's index has for the Python of an image: asked in the image, whose pip knows where that index is.</summary>
/// <param name="engine">The container engine.</param>
internal sealed class PackageIndex(ContainerEngine engine)
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    /// <summary>The requirements that have wheels for older Pythons than the image's alone: pip builds these from source, and most need a
    /// compiler for it.</summary>
    /// <param name="image">The image. One that is not on this machine is not brought, and knows of nothing.</param>
    /// <param name="requirements">The requirements.</param>
    /// <param name="cancellationToken">Ends the question.</param>
    public async Task<IReadOnlyList<OldRequirement>> WithoutWheelAsync(
        string image, IReadOnlyCollection<PinnedRequirement> requirements, CancellationToken cancellationToken)
    {
        if (requirements.Count == 0)
        {
            return [];
        }

        var script = await File.ReadAllTextAsync(Path.Combine(ToolPackages.Folder, "wheels.py"), cancellationToken);
        // As a build would ask it.
        var variables = ProxySettings.Current.ForBuilds.Concat(PipSettings.Current.Variables).ToDictionary();
        var asked = await engine.RunAsync(
            s_limit, variables, cancellationToken,
            [
                "run", "--rm", "--pull=never", .. variables.Keys.SelectMany(name => new[] { "--env", name }),
                "--entrypoint", "python", image, "-c", script,
                .. requirements.Select(requirement => $"{requirement.Name}=={requirement.Version}").Distinct(),
            ]);
        return !asked.Succeeded ? [] :
        [
            .. from line in asked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
               let words = line.Split(' ')
               select new OldRequirement(requirements.First(requirement => requirement.Name == words[0]), words[1], words[2]),
        ];
    }
}

/// <summary>A requirement that is older than the image's Python.</summary>
/// <param name="Requirement">The requirement.</param>
/// <param name="NewestPython">The newest Python that it has a wheel for, such as 3.12.</param>
/// <param name="ImagesPython">The image's.</param>
internal sealed record OldRequirement(PinnedRequirement Requirement, string NewestPython, string ImagesPython);
