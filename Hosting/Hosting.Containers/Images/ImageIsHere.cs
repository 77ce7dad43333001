namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Says that the image of this container is on the machine and needs neither a pull nor a build: the container starts
/// within a second or two of the AppHost.
/// </summary>
public sealed record ImageIsHere : IResourceAnnotation;
