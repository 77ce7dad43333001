using UvlhubAspire.AppHost.Compose;
using UvlhubAspire.AppHost.Uvlhub;

namespace Aspire.Hosting;

/// <summary>Adds what a fork's compose file declares beyond uvlhub's own services.</summary>
internal static class ComposeBuilderExtensions
{
    /// <summary>
    /// Adds a container for each service of the checkout's development compose file that the model does not know, with
    /// its image or build, command, environment, ports (on the loopback address), mounts, names, dependencies and health
    /// check. What cannot be taken over is said at the start, with its line. Comes last: the services may wait for any
    /// resource.
    /// </summary>
    public static void AddOtherComposeServices(this IDistributedApplicationBuilder builder, UvlhubEnvironment uvlhub)
    {
        if (uvlhub.Compose is { } file && builder.ExecutionContext.IsRunMode)
        {
            new ComposeImport(builder, uvlhub, file, uvlhub.ComposeFindings).Add();
        }
    }
}
