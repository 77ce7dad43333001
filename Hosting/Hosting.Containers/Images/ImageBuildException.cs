namespace UvlhubAspire.Hosting.Containers;

/// <summary>An image could not be made.</summary>
/// <param name="image">The image.</param>
/// <param name="cause">The builder's last lines, or what is missing.</param>
public sealed class ImageBuildException(string image, string cause)
    : Exception($"The image {image} could not be built:{Environment.NewLine}{cause}");
