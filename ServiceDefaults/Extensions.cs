using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace UvlhubAspire.ServiceDefaults;

/// <summary>What every .NET process of the model has in common: telemetry that reaches the Aspire dashboard.</summary>
public static class Extensions
{
    /// <summary>
    /// Sends logs, traces and metrics to the OTLP endpoint that the AppHost names in
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>; without that variable (a run from a shell) nothing is exported.
    /// </summary>
    /// <typeparam name="TBuilder">The kind of host builder.</typeparam>
    /// <param name="builder">The host that is being built.</param>
    /// <param name="sources">Names of the activity sources and of the meters (same names) to export.</param>
    /// <returns>The same builder.</returns>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder, params string[] sources)
        where TBuilder : IHostApplicationBuilder
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(sources);

        // Nobody listens: the process starts without the telemetry pipelines, which a run from a shell would wait for.
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return builder;
        }

        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddRuntimeInstrumentation().AddMeter(sources))
            .WithTracing(tracing => tracing.AddSource(builder.Environment.ApplicationName).AddSource(sources))
            .UseOtlpExporter();

        return builder;
    }
}
