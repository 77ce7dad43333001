using System.Globalization;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Lets an editor debug the site's Python.</summary>
internal static class DebuggerExtensions
{
    private const int Port = 5678;
    private const string EndpointName = "debugger";
    private const string CanAttach = "a debugger can attach (Uvlhub:Debug)";

    /// <summary>
    /// Has the start-up folder's <c>sitecustomize.py</c> listen for a debugger in the process that serves the site: the
    /// setting <c>Uvlhub:Debug</c>. It listens again after a reload. Only where the checkout is mounted, so never in
    /// production.
    /// </summary>
    public static IResourceBuilder<FlaskResource> WithDebugger(this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub) =>
        !uvlhub.Options.Debug || uvlhub.Profile.Server == WebServer.Gunicorn ? builder : builder
            .WithEndpoint(targetPort: Port, name: EndpointName, scheme: "tcp")
            .WithHostPort(uvlhub.Ports.Debugger, EndpointName)
            .WithEnvironment("UVLHUB_DEBUGGER_PORT", Port.ToString(CultureInfo.InvariantCulture))
            // Python's own modules need not be stepped into, and debugpy warns at every start that they cannot be.
            .WithEnvironment("PYDEVD_DISABLE_FILE_VALIDATION", "1")
            .DiffersFromCompose(DriftAspect.Port, CanAttach, $"{Port}")
            .DiffersFromCompose(DriftAspect.Environment, CanAttach, "UVLHUB_DEBUGGER_PORT", "PYDEVD_DISABLE_FILE_VALIDATION");
}
