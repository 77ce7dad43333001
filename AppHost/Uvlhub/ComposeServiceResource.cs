using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>A container that a fork's compose file adds and that the model knows nothing more about.</summary>
/// <param name="name">The resource's name.</param>
/// <param name="service">The service of the compose file.</param>
internal sealed class ComposeServiceResource(string name, ComposeService service) : ContainerResource(name)
{
    /// <summary>The service of the compose file.</summary>
    public ComposeService Service { get; } = service;
}

/// <summary>Says which service of the compose file a resource stands for, where their names differ.</summary>
/// <param name="Service">The service's name.</param>
internal sealed record StandsForService(string Service) : IResourceAnnotation;
