using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

#pragma warning disable ASPIRECERTIFICATES001

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Sets up the orchestrator's own processes.</summary>
public static class OrchestratorBuilderExtensions
{
    // The orchestrator inherits the AppHost's environment. What a person has set stays.
    private static readonly (string Name, string Value)[] s_environment =
    [
        // Else a process stands beside each container and each program, 24 MiB each, in case that the orchestrator itself is killed; the
        // next start removes what is left then. An AppHost that is killed ends its orchestrator, with or without them.
        ("DCP_DISABLE_MONITOR_PROCESS", "true"),

        // Its heap is small, and collected when it has grown by a third instead of doubled.
        ("GOGC", "30"),
    ];

    /// <summary>
    /// Has the orchestrator start sooner and take less memory: no key is made at each start, no process watches each container, and its
    /// first answer is looked for more often.
    /// </summary>
    /// <param name="builder">The application.</param>
    public static void LightenOrchestrator(this IDistributedApplicationBuilder builder)
    {
        foreach (var (name, value) in s_environment)
        {
            if (Environment.GetEnvironmentVariable(name) is null)
            {
                Environment.SetEnvironmentVariable(name, value);
            }
        }

        builder.Configuration["DcpPublisher:KubernetesConfigReadRetryIntervalMilliseconds"] ??= "20";

        var theirs = builder.Services.Last(service => service.ServiceType == typeof(IDeveloperCertificateService)).ImplementationType!;
        builder.Services.Replace(ServiceDescriptor.Singleton<IDeveloperCertificateService>(services =>
            new OrchestratorCertificate(
                (IDeveloperCertificateService)ActivatorUtilities.CreateInstance(services, theirs), UserFolder.Of("orchestrator.pem"))));
    }
}
