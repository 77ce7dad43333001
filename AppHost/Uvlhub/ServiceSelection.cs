using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>
/// Which services run beside <c>web</c> and <c>db</c>: what the checkout's development compose file declares, and what
/// the setting <c>Uvlhub:Services</c> adds, takes away or lists.
/// </summary>
internal sealed class ServiceSelection
{
    /// <summary>What always runs.</summary>
    public static IReadOnlyList<string> Always { get; } = ["web", "db"];

    /// <summary>What the model knows and a checkout may have.</summary>
    public static IReadOnlyList<string> Optional { get; } = [.. KnownService.All.Select(service => service.Name)];

    private const string Setting = $"{UvlhubOptions.Section}:{nameof(UvlhubOptions.Services)}";

    private readonly HashSet<string> _selected;

    private ServiceSelection(HashSet<string> selected) => _selected = selected;

    /// <summary>Whether a service is part of the model.</summary>
    public bool Includes(string service) => _selected.Contains(service);

    /// <summary>Makes the selection.</summary>
    /// <param name="setting">
    /// Names separated by commas. <c>+name</c> adds to what the checkout declares and <c>-name</c> takes away from it; with a
    /// name that has neither, the list is the whole selection. <see langword="null"/> takes what the checkout declares.
    /// </param>
    /// <param name="compose">The checkout's compose file for the environment.</param>
    /// <param name="checkout">The checkout.</param>
    /// <exception cref="UserErrorException">A name is unknown, or a service is left without one that it needs.</exception>
    public static ServiceSelection Read(string? setting, ComposeFile? compose, UvlhubCheckout checkout)
    {
        var declared = compose?.Services.Select(service => service.Name).ToList() ?? [];
        HashSet<string> known = [.. Always, .. Optional, .. declared];
        var entries = (setting ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (entries.Length > 0 && !checkout.Profile.HasServices)
        {
            throw new UserErrorException(
                $"{Setting} is '{setting}', and {checkout.Profile.Name} is the site alone; take Production for more");
        }

        foreach (var entry in entries)
        {
            var name = entry.TrimStart('+', '-');
            if (!known.Contains(name))
            {
                throw new UserErrorException(
                    $"{Setting} names '{name}', which is no service of this checkout; known are "
                    + $"{string.Join(", ", known.Order(StringComparer.Ordinal))}");
            }

            if (entry[0] == '-' && Always.Contains(name))
            {
                throw new UserErrorException($"{Setting} takes {name} away; without it there is no uvlhub");
            }
        }

        var isWhole = entries.Any(entry => entry[0] is not ('+' or '-'));
        HashSet<string> selected = [.. Always, .. isWhole ? [] : Default(declared, checkout)];
        selected.UnionWith(entries.Where(entry => entry[0] != '-').Select(entry => entry.TrimStart('+')));
        selected.ExceptWith(entries.Where(entry => entry[0] == '-').Select(entry => entry[1..]));

        if (KnownService.All.OrderBy(known => known.Needs, StringComparer.Ordinal)
            .FirstOrDefault(known => known.Needs is { } need && selected.Contains(known.Name) && !selected.Contains(need)) is { } alone)
        {
            throw new UserErrorException(
                $"{Setting}: {alone.Name} needs {alone.Needs}; take both (+{alone.Needs}) or neither (-{alone.Name})");
        }

        return new ServiceSelection(selected);
    }

    // A load test is built from a Dockerfile of its own that no compose file names; it starts by hand, and not on a site
    // that has users.
    private static IEnumerable<string> Default(List<string> declared, UvlhubCheckout checkout) =>
        checkout.Profile.Code == CodeSource.Mounted && File.Exists(LocustDockerfile(checkout.Path)) ? declared.Append("locust") : declared;

    /// <summary>The Dockerfile of the load test; it need not exist.</summary>
    public static string LocustDockerfile(string checkout) => Path.Combine(checkout, "docker", "images", "Dockerfile.locust");
}
