namespace UvlhubAspire.Hosting.Containers;

/// <summary>Where images come from.</summary>
public enum ImageSource
{
    /// <summary>What is present on this machine, else the registry, else a build from Debian's packages.</summary>
    Auto,

    /// <summary>Always the image that the model names; an image that cannot be pulled is an error.</summary>
    Registry,

    /// <summary>Always the build from Debian's packages.</summary>
    Debian,
}

/// <summary>Which images an application allows, and the setting that says so, for messages.</summary>
/// <param name="Name">The setting's full name.</param>
/// <param name="Source">Its value.</param>
public sealed record ImageSourceSetting(string Name, ImageSource Source);
