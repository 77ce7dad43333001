namespace Aspire.Hosting;

/// <summary>The one place with the name and tag of MariaDB's image; the tutorial and the course edition pin the same.</summary>
internal static class MariaDBContainerImageTags
{
    /// <summary>The image's name on Docker Hub.</summary>
    public const string Image = "mariadb";

    /// <summary>The image's tag.</summary>
    public const string Tag = "12.0.2";
}
