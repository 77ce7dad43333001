namespace UvlhubAspire.AppHost.Flask;

/// <summary>
/// A container with the checkout's code on its working directory and the environment of its <c>.env</c>: the site
/// itself, or the toolbox in which <c>flask</c>, <c>rosemary</c> and <c>pytest</c> are run.
/// </summary>
/// <param name="name">The resource's name, which is also its host name on the containers' network.</param>
internal sealed class FlaskResource(string name) : ContainerResource(name)
{
    internal const string HttpEndpointName = "http";

    /// <summary>Whether this one serves the site.</summary>
    public bool IsSite { get; init; }

    /// <summary>Where the site answers; only the site has it.</summary>
    public EndpointReference HttpEndpoint => field ??= new(this, HttpEndpointName);
}
