namespace UvlhubAspire.AppHost.Uvlhub;

/// <summary>Says what becomes of a container that leaves the machine. Default: <see cref="PublishedKind.Single"/>.</summary>
internal sealed record PublishedAs(PublishedKind Kind) : IResourceAnnotation;
