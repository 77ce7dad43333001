using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using UvlhubAspire.AppHost.Site;
using UvlhubAspire.AppHost.Uvlhub;
using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Compose;

/// <summary>
/// Compares what a compose file declares with the model as it is built: every service, image, port, volume, name,
/// variable and command. The model's side is read from the resources' annotations, and so are the reasons for what
/// differs on purpose.
/// </summary>
internal sealed class DriftCheck(UvlhubEnvironment uvlhub, IConfiguration configuration, DistributedApplicationExecutionContext context)
{
    private const string OneNetwork = "every container is on one network, on which all names of the compose file are known";
    private const string LeftOut = "a setting leaves it out (Uvlhub:Services)";

    /// <summary>Compares.</summary>
    /// <param name="file">The compose file.</param>
    /// <param name="findings">What of it is already known not to be taken over.</param>
    /// <param name="resources">The model.</param>
    /// <param name="cancellationToken">Ends the comparison.</param>
    public async Task<DriftReport> CompareAsync(
        ComposeFile file, IEnumerable<ComposeFinding> findings, IEnumerable<IResource> resources, CancellationToken cancellationToken)
    {
        List<Difference> differences = [];
        List<IResource> programs =
        [
            .. resources.Where(resource => resource is ContainerResource or ProjectResource or ExecutableResource
                // Aspire's own helpers, which the dashboard does not show.
                && !resource.Annotations.OfType<HiddenAnnotation>().Any(hidden => hidden.Behavior != HiddenBehavior.OnCompletion)),
        ];
        List<ComposeFinding> known = [.. findings];
        var standing = programs.OfType<ContainerResource>()
            .Select(container => (Service: file.Services.FirstOrDefault(service => StandsFor(container, service)), Container: container))
            .Where(pair => pair.Service is not null)
            .ToLookup(pair => pair.Service!, pair => pair.Container);
        foreach (var service in file.Services)
        {
            if (standing[service].FirstOrDefault() is { } container)
            {
                var facts = await ContainerFacts.ReadAsync(container, context, cancellationToken);
                differences.AddRange(new ServiceDrift(uvlhub, configuration, file, service, facts).Compare(programs));
            }
            else
            {
                differences.Add(new Difference(
                    service.Name, DriftAspect.Service, service.Name, "the model has no such resource", service.At,
                    KnownServices.Replacement(service.Name) ?? (uvlhub.Services.Includes(service.Name) ? null : LeftOut)));
            }
        }

        differences.AddRange(
            from network in file.Networks
            where (network.EngineName ?? network.Name) != uvlhub.Names.Network
                || network is { IsExternal: true } or { IsInternal: true } or { Subnets: not [] }
            select new Difference(
                network.Name, DriftAspect.Network, network.Name, $"the network {network.Name} has no counterpart that is quite the same",
                network.At, OneNetwork));
        differences.AddRange(programs.Except(standing.SelectMany(containers => containers)).Select(
            resource => Difference.Of(resource, resource.Name, DriftAspect.Service, resource.Name, "only the model has it", at: null)));

        // What is said of a line already needs not be said in other words.
        return new DriftReport(
            file,
            [
                .. differences.Where(difference => difference.Reason is not null
                    || !known.Any(finding => finding.Service == difference.Service && finding.At == difference.At)),
            ],
            known)
        {
            Script = FlaskResource.SiteOf(programs)?.Script,
        };
    }

    /// <summary>Whether a container runs what a service of the file declares.</summary>
    internal static bool StandsFor(ContainerResource container, ComposeService service) => container is ComposeServiceResource imported
        ? imported.Service.Name == service.Name
        : container.Name == service.Name
            || container.Annotations.OfType<ComposeServiceNameAnnotation>().Any(known => known.Service == service.Name);

    /// <summary>Whether an endpoint publishes the port of the container that a compose file publishes.</summary>
    internal static bool IsSamePort(EndpointAnnotation endpoint, ComposePort port) =>
        endpoint.TargetPort == port.Target && (endpoint.Protocol == ProtocolType.Udp) == (port.Protocol == "udp");
}
