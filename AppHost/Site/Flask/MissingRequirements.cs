using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using UvlhubAspire.AppHost.Images;

namespace UvlhubAspire.AppHost.Site;

/// <summary>Names the entries of the checkout's requirements that a stand-in image lacks, because Debian does.</summary>
internal static class MissingRequirements
{

    /// <summary>Compares requirements.txt with what the running container has, and warns once.</summary>
    public static async Task WarnAsync(
        FlaskResource flask, UvlhubCheckout checkout, IServiceProvider services, CancellationToken cancellationToken)
    {
        var requirements = CheckoutRequirements.Read(checkout);
        if (!flask.TryGetContainerImageName(out var image)
            || image != flask.Annotations.OfType<ContainerImage>().Last().StandInRecipe?.Image || requirements.Count == 0)
        {
            return;
        }

        var engine = services.GetRequiredService<ContainerEngine>();
        var listed = await engine.RunAsync(
            TimeSpan.FromSeconds(30), cancellationToken, "run", "--rm", "--network", "none", "--entrypoint", "cat", image,
            SharedNames.StandInsPackages);
        if (!listed.Succeeded)
        {
            return;
        }

        var present = listed.Output.Split('\n').Select(line => CheckoutRequirements.Normalise(line.Split("==")[0]))
            .ToHashSet(StringComparer.Ordinal);
        List<string> missing = [.. requirements.Where(name => !present.Contains(CheckoutRequirements.Normalise(name)))];
        if (missing.Count > 0)
        {
            var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger("UvlhubAspire.Images");
            ImageLog.RequirementsMissing(logger, missing.Count, CheckoutRequirements.File(checkout), image, string.Join(", ", missing));
        }
    }
}
