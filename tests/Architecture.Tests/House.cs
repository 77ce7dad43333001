using System.Xml.Linq;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.Architecture.Tests;

/// <summary>The product's projects and rooms, in the order in which they may refer to each other: to what stands before them.</summary>
internal static class House
{
    /// <summary>The rooms of the AppHost: its folders. <c>AppHost.cs</c> itself comes last.</summary>
    public static IReadOnlyList<string> Rooms { get; } =
        ["Images", "Uvlhub", "Database", "Site", "Services", "Production", "Compose", "Publishing", "Start", "AppHost.cs"];

    /// <summary>What each project refers to, and nothing else.</summary>
    public static IReadOnlyDictionary<string, string[]> Projects { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["Hosting/Engine"] = [],
        ["Hosting/Hosting.Containers"] = ["Hosting/Engine"],
        ["Hosting/Hosting.MariaDB"] = [],
        ["Hosting/Hosting.Compose"] = ["Hosting/Hosting.Containers"],
        ["Checkout"] = ["Hosting/Engine"],
        ["ServiceDefaults"] = [],
        ["UvlhubRunner"] = ["Checkout", "ServiceDefaults"],
        ["AppHost"] = ["Checkout", "Hosting/Hosting.Compose", "Hosting/Hosting.Containers", "Hosting/Hosting.MariaDB", "UvlhubRunner"],
    };

    /// <summary>The folder of this repository.</summary>
    public static string Root { get; } = Path.GetDirectoryName(RepositoryFolder.AppHost)!;

    /// <summary>The projects that a project file refers to, by their folders.</summary>
    public static IEnumerable<string> ReferencesOf(string project)
    {
        var folder = Path.Combine(Root, project);
        return XDocument.Load(Directory.GetFiles(folder, "*.csproj").Single()).Descendants("ProjectReference")
            .Select(reference => Path.GetFullPath(Path.Combine(folder, Path.GetDirectoryName(reference.Attribute("Include")!.Value)!)))
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'));
    }
}
