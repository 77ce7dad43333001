using UvlhubAspire.Hosting.Compose;

namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>A container that a fork's compose file adds and that the model knows nothing more about.</summary>
internal sealed class ComposeServiceResource(string name, ComposeService service) : ContainerResource(name)
{
    /// <summary>The service of the compose file.</summary>
    public ComposeService Service { get; } = service;
}

/// <summary>Says which service of the compose file a resource stands for, where their names differ.</summary>
internal sealed record ComposeServiceNameAnnotation(string Service) : IResourceAnnotation;
