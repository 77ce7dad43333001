using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Engine;
using UvlhubAspire.AppHost.Images;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.AppHost.Flask;

/// <summary>Names the entries of the checkout's requirements that a stand-in image cannot offer.</summary>
internal static partial class MissingRequirements
{
    private const string PackageList = "/usr/share/uvlhub-aspire/python-packages.txt";

    /// <summary>Compares requirements.txt with what the running container has, and warns once.</summary>
    public static async Task WarnAsync(FlaskResource flask, UvlhubCheckout checkout, IServiceProvider services, CancellationToken cancellationToken)
    {
        var requirements = Path.Combine(checkout.Path, "requirements.txt");
        if (!flask.TryGetContainerImageName(out var image) || image != flask.Annotations.OfType<ContainerImage>().Last().StandInRecipe?.Image || !File.Exists(requirements))
        {
            return;
        }

        var engine = services.GetRequiredService<ContainerEngine>();
        var listed = await engine.RunAsync(TimeSpan.FromSeconds(30), cancellationToken, "run", "--rm", "--network", "none", "--entrypoint", "cat", image, PackageList);
        if (!listed.Succeeded)
        {
            return;
        }

        var present = listed.Output.Split('\n').Select(line => Normalise(line.Split("==")[0])).ToHashSet(StringComparer.Ordinal);
        var missing = (await File.ReadAllLinesAsync(requirements, cancellationToken))
            .Select(line => RequirementName().Match(line))
            .Where(match => match.Success && !present.Contains(Normalise(match.Value)))
            .Select(match => match.Value)
            .ToList();
        if (missing.Count > 0)
        {
            var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("UvlhubAspire.Images");
            ImageLog.RequirementsMissing(logger, missing.Count, requirements, image, string.Join(", ", missing));
        }
    }

    // PEP 503: runs of '-', '_' and '.' are one dash, letters are lower case.
    private static string Normalise(string name) => Separators().Replace(name.Trim(), "-").ToLowerInvariant();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]*")]
    private static partial Regex RequirementName();

    [GeneratedRegex("[-_.]+")]
    private static partial Regex Separators();
}
