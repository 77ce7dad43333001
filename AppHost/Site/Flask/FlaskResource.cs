namespace UvlhubAspire.AppHost.Site;

/// <summary>What a container with the checkout's code is for.</summary>
internal enum FlaskRole
{
    /// <summary>Idle; commands are run in it.</summary>
    Toolbox,

    /// <summary>Serves the site.</summary>
    Site,

    /// <summary>Does the site's work in the background.</summary>
    Worker,

    /// <summary>Migrates, and ends.</summary>
    Migrator,

    /// <summary>Updates the others, where there is no AppHost.</summary>
    Updater,

    /// <summary>Makes backups.</summary>
    Backup,
}

/// <summary>
/// A container with the checkout's code on its working directory and the environment of its <c>.env</c>: the site
/// itself, or the toolbox in which <c>flask</c>, <c>rosemary</c> and <c>pytest</c> are run.
/// </summary>
/// <param name="name">The resource's name, which is also its host name on the containers' network.</param>
internal sealed class FlaskResource(string name) : ContainerResource(name)
{
    internal const string HttpEndpointName = "http";

    /// <summary>What it is for. Default: the toolbox.</summary>
    public FlaskRole Role { get; init; }

    /// <summary>What the checkout starts it with; <see langword="null"/> if that is no script of the checkout's.</summary>
    public StartScript? Script { get; init; }

    /// <summary>Whether it runs the application for its users, and so needs nothing of what only tools do.</summary>
    public bool IsApplication => Role is FlaskRole.Site or FlaskRole.Worker;

    /// <summary>Whether this one serves the site.</summary>
    public bool IsSite => Role == FlaskRole.Site;

    /// <summary>The one that serves the site; <see langword="null"/> if there is none.</summary>
    public static FlaskResource? SiteOf(IEnumerable<IResource> resources) =>
        resources.OfType<FlaskResource>().FirstOrDefault(flask => flask.IsSite);

    /// <summary>Where the site answers; only the site has it.</summary>
    public EndpointReference HttpEndpoint => field ??= new(this, HttpEndpointName);
}
