namespace UvlhubAspire.Checkout;

/// <summary>Folders of this repository that the programs need at run time, found upwards from where they were built.</summary>
public static class RepositoryFolder
{
    /// <summary>The sample application that runs when <see cref="UvlhubOptions.Path"/> names no checkout.</summary>
    /// <exception cref="UserErrorException">The program no longer lies inside its repository.</exception>
    public static string BundledSample => Find("samples/minihub");

    /// <summary>The Dockerfiles of the images that stand in for the official ones.</summary>
    /// <exception cref="UserErrorException">The program no longer lies inside its repository.</exception>
    public static string Images => Find("images");

    /// <summary>The Dockerfile's folder of one of those images.</summary>
    /// <param name="name">What the image is: <c>mariadb</c>, <c>flask</c>.</param>
    /// <exception cref="UserErrorException">The program no longer lies inside its repository.</exception>
    public static string StandIn(string name) => Path.Combine(Images, name);

    /// <summary>The AppHost's project.</summary>
    /// <exception cref="UserErrorException">The program no longer lies inside its repository.</exception>
    public static string AppHost => Find("AppHost");

    /// <summary>The migrator's project.</summary>
    /// <exception cref="UserErrorException">The program no longer lies inside its repository.</exception>
    public static string Runner => Find("UvlhubRunner");

    private static string Find(string folder)
    {
        for (var parent = new DirectoryInfo(AppContext.BaseDirectory); parent is not null; parent = parent.Parent)
        {
            var candidate = Path.Combine(parent.FullName, folder);
            if (Directory.Exists(candidate) && File.Exists(Path.Combine(parent.FullName, "UvlhubAspire.sln")))
            {
                return candidate;
            }
        }

        throw new UserErrorException($"cannot find {folder}: the program was moved out of its repository. Build it again in a clone.");
    }
}
