namespace UvlhubAspire.AppHost.Services;

/// <summary>Keeps what is known of nginx's upstreams with its container.</summary>
/// <param name="Upstreams">The upstreams.</param>
internal sealed record UpstreamsAnnotation(Upstreams Upstreams) : IResourceAnnotation;
