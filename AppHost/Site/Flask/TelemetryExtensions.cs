using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Brings what the containers measure of themselves to the dashboard.</summary>
internal static class TelemetryExtensions
{
    private const string EndpointSetting = "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL";

    /// <summary>
    /// Opens the dashboard's OTLP/HTTP endpoint where containers reach it, unless that setting is given. Aspire's own way
    /// there is a tunnel, whose image needs a registry; this way needs none: on a Linux engine containers know the host
    /// by its address on the engine's bridge, and Docker Desktop takes them to the loopback address. Every sender needs
    /// the key that Aspire makes for each run.
    /// </summary>
    public static void AddTelemetryEndpoint(this IDistributedApplicationBuilder builder)
    {
        if (!string.IsNullOrEmpty(builder.Configuration[EndpointSetting]))
        {
            return;
        }

        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            [EndpointSetting] = $"http://{BridgeAddress() ?? "127.0.0.1"}:0",
            ["ASPIRE_ENABLE_CONTAINER_TUNNEL"] = "false",
        });
    }

    /// <summary>
    /// Has the start-up folder's <c>telemetry.py</c> send requests, statements, log records and metrics of this container
    /// to the dashboard: the setting <c>Uvlhub:Telemetry</c>. Nothing is sent where there is no dashboard.
    /// </summary>
    public static IResourceBuilder<FlaskResource> WithTelemetry(this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub)
    {
        if (!uvlhub.Options.Telemetry)
        {
            return builder;
        }

        return builder
            .WithOtlpExporterIfEndpointAvailable(OtlpProtocol.HttpProtobuf)
            .WithEnvironment("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
            .DiffersFromCompose(
                DriftAspect.Environment, "requests, statements and logs are sent to the dashboard (Uvlhub:Telemetry)", "OTEL_*");
    }

    /// <summary>Gives a container a name for the host, where it has something to ask there: the dashboard, or an external
    /// database.</summary>
    public static IResourceBuilder<FlaskResource> WithNameOfHost(this IResourceBuilder<FlaskResource> builder, UvlhubEnvironment uvlhub)
    {
        if (builder.ApplicationBuilder.ExecutionContext.IsRunMode && (uvlhub.Options.Telemetry || !uvlhub.Profile.HasDatabase) && uvlhub.Engine.Executable == "docker")
        {
            // Docker Desktop has this name by itself, and so has Podman, whose older versions refuse the option; Docker on Linux has not.
            builder.WithContainerRuntimeArgs("--add-host", "host.docker.internal:host-gateway");
        }

        return builder;
    }

    // The engine's default bridge, whose address the name host-gateway stands for.
    private static string? BridgeAddress() =>
        NetworkInterface.GetAllNetworkInterfaces()
            .FirstOrDefault(candidate => candidate.Name is "docker0")?
            .GetIPProperties().UnicastAddresses
            .FirstOrDefault(address => address.Address.AddressFamily == AddressFamily.InterNetwork)?
            .Address.ToString();
}
