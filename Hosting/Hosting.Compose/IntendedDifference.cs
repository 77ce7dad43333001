namespace UvlhubAspire.Hosting.Compose;

/// <summary>What about a service can differ between a compose file and the model.</summary>
public enum DriftAspect
{
    /// <summary>Whether there is such a service at all.</summary>
    Service,

    /// <summary>
    /// The image; the subject is its name with its tag, also that of the one image on which a Dockerfile installs something;
    /// else the Dockerfile, or <c>build</c> where the model runs what that starts from.
    /// </summary>
    Image,

    /// <summary>The container's name.</summary>
    ContainerName,

    /// <summary>Entrypoint and command.</summary>
    Command,

    /// <summary>A variable; the subject is its name.</summary>
    Environment,

    /// <summary>A port on the host; the subject is the container's port.</summary>
    Port,

    /// <summary>A folder or volume; the subject is its place in the container, or <c>read-only</c>.</summary>
    Volume,

    /// <summary>A host name or a network; the subject is its name.</summary>
    Network,

    /// <summary>What a service waits for; the subject is the other service.</summary>
    DependsOn,

    /// <summary>Whether the engine is told how to check its health.</summary>
    HealthCheck,

    /// <summary>What happens when it dies.</summary>
    Restart,

    /// <summary>Any other option of the engine; the subject is its key in the compose file.</summary>
    Option,
}

/// <summary>
/// Says that a resource differs from what uvlhub's compose files declare, and why. It stands beside the code that makes
/// the difference, so that the drift check needs no list of its own.
/// </summary>
/// <param name="Aspect">What differs.</param>
/// <param name="Reason">Why, in a sentence without its final stop.</param>
/// <param name="Subjects">Which of several; empty means all, and a name that ends in <c>*</c> means all that begin so.</param>
public sealed record IntendedDifference(DriftAspect Aspect, string Reason, IReadOnlyList<string> Subjects) : IResourceAnnotation
{
    /// <summary>Whether a difference is meant.</summary>
    public bool Covers(DriftAspect aspect, string subject) => aspect == Aspect && (Subjects.Count == 0 || Subjects.Any(own => own == subject
        || (own.EndsWith('*') && subject.StartsWith(own[..^1], StringComparison.Ordinal))));
}
