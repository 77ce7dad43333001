namespace UvlhubAspire.AppHost.Production;

/// <summary>Where newer versions of the site come from.</summary>
internal interface IVersionSource
{
    /// <summary>Brings the newest version to this machine.</summary>
    /// <exception cref="DeploymentException">It did not come; nothing has changed.</exception>
    Task<VersionChange> TakeAsync(CancellationToken cancellationToken);

    /// <summary>Puts the version from before back, so that whatever starts next is the one that serves.</summary>
    /// <param name="change">What <see cref="TakeAsync"/> has done.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Why that did not work; <see langword="null"/> if it did.</returns>
    Task<string?> PutBackAsync(VersionChange change, CancellationToken cancellationToken);
}

/// <summary>What taking a version has changed.</summary>
/// <param name="Before">What was there; empty if nothing was.</param>
/// <param name="Now">What is there.</param>
internal sealed record VersionChange(string Before, string Now)
{
    /// <summary>The image that was there, where versions are images.</summary>
    public string? Image { get; init; }

    /// <summary>Whether anything has come.</summary>
    public bool IsNew => Before != Now;
}

/// <summary>The checkout as it stands: somebody else brings the code.</summary>
internal sealed class CheckoutAsItStands : IVersionSource
{
    public Task<VersionChange> TakeAsync(CancellationToken cancellationToken) => Task.FromResult(new VersionChange("", ""));

    public Task<string?> PutBackAsync(VersionChange change, CancellationToken cancellationToken) => Task.FromResult<string?>(null);
}
