namespace Aspire.Hosting;

/// <summary>The image that <c>AddMariaDB</c> runs: the one place where it is named.</summary>
internal static class MariaDBContainerImageTags
{
    /// <remarks>docker.io</remarks>
    public const string Registry = "docker.io";

    /// <remarks>library/mariadb</remarks>
    public const string Image = "library/mariadb";

    /// <remarks>12.0.2</remarks>
    public const string Tag = "12.0.2";
}
