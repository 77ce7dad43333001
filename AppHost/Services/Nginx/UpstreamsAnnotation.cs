namespace UvlhubAspire.AppHost.Services;

/// <summary>Keeps what is known of nginx's upstreams with its container.</summary>
internal sealed record UpstreamsAnnotation(Upstreams Upstreams) : IResourceAnnotation;
