namespace UvlhubAspire.Checkout;

/// <summary>
/// The names that one running environment has on the engine. Without <see cref="UvlhubOptions.Instance"/> they are the
/// tutorial's, so that its <c>docker exec</c> and <c>docker logs</c> commands keep working.
/// </summary>
/// <param name="instance">The instance's name, or <see langword="null"/> for the tutorial's names.</param>
/// <param name="profile">The environment. Default: Development.</param>
public sealed class InstanceNames(string? instance, EnvironmentProfile? profile = null)
{
    private readonly string _volumeSuffix = profile?.VolumeSuffix ?? "";

    private readonly string _prefix = (string.IsNullOrEmpty(instance) ? "" : $"{instance}_") + profile?.NamePrefix;

    /// <summary>The container of <c>db</c>.</summary>
    public string DatabaseContainer => $"{_prefix}mariadb_container";

    /// <summary>The container of <c>web</c>.</summary>
    public string WebContainer => $"{_prefix}web_app_container";

    /// <summary>The container of <c>migrator</c>, where it is one.</summary>
    public string MigratorContainer => $"{_prefix}migrator_container";

    /// <summary>The container of <c>rosemary</c>, the toolbox.</summary>
    public string ToolboxContainer => $"{_prefix}rosemary_container";

    /// <summary>The network of all containers.</summary>
    public string Network => $"{_prefix}uvlhub_network";

    /// <summary>The container of a service that the checkout's compose file adds.</summary>
    /// <param name="name">The name that it has under compose.</param>
    public string ServiceContainer(string name) => $"{_prefix}{Sanitise(name)}";

    /// <summary>A named volume of the checkout's compose file.</summary>
    /// <param name="volume">Its name in the file.</param>
    /// <param name="checkout">The folder name of the checkout; <see langword="null"/> for a volume that the file itself names.</param>
    public string ServiceVolume(string volume, string? checkout) =>
        $"{_prefix}{Sanitise(volume)}{(checkout is null ? "" : $"_{Sanitise(checkout)}")}";

    /// <summary>The database's volume, if nothing else is said.</summary>
    /// <param name="checkout">The folder name of the checkout.</param>
    public string DataVolume(string checkout) => $"{_prefix}mariadb_data_{Sanitise(checkout)}{_volumeSuffix}";

    /// <summary>The volume of the migrator's snapshots, where the migrator is a container.</summary>
    /// <param name="checkout">The folder name of the checkout.</param>
    public string SnapshotsVolume(string checkout) => $"{_prefix}snapshots_{Sanitise(checkout)}{_volumeSuffix}";

    /// <summary>The volume of the site's certificates.</summary>
    /// <param name="checkout">The folder name of the checkout.</param>
    public string CertificatesVolume(string checkout) => $"{_prefix}letsencrypt_{Sanitise(checkout)}{_volumeSuffix}";

    /// <summary>The volume of the answers to the certificate authority.</summary>
    /// <param name="checkout">The folder name of the checkout.</param>
    public string WebrootVolume(string checkout) => $"{_prefix}webroot_{Sanitise(checkout)}{_volumeSuffix}";

    /// <summary>The volume of what users upload, where the code is not mounted.</summary>
    /// <param name="checkout">The folder name of the checkout.</param>
    public string UploadsVolume(string checkout) => $"{_prefix}uploads_{Sanitise(checkout)}{_volumeSuffix}";

    // The engine allows [a-zA-Z0-9][a-zA-Z0-9_.-]* in names.
    private static string Sanitise(string name) => Names.Clean(name, '_', "_.-");
}
