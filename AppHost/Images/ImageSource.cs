namespace UvlhubAspire.AppHost.Images;

/// <summary>Where images come from: the setting <c>Uvlhub:Images</c>.</summary>
internal enum ImageSource
{
    /// <summary>What is present on this machine, else the registry, else a build from Debian's packages.</summary>
    Auto,

    /// <summary>Always the image that the model names; an image that cannot be pulled is an error.</summary>
    Registry,

    /// <summary>Always the build from Debian's packages.</summary>
    Debian,
}
