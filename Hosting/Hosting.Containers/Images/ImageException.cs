namespace UvlhubAspire.Hosting.Containers;

/// <summary>An image cannot be had: it could not be pulled or built.</summary>
/// <param name="message">Which image, why (the engine's or the builder's own words), and what to do.</param>
public sealed class ImageException(string message) : Exception(message)
{
    /// <summary>An image that could not be built.</summary>
    /// <param name="image">The image.</param>
    /// <param name="cause">The builder's last lines, or what is missing.</param>
    public static ImageException NotBuilt(string image, string cause) =>
        new($"The image {image} could not be built:{Environment.NewLine}{cause}");

    /// <summary>The message alone: the orchestrator prints it into the container's log, and where in this program it was thrown helps
    /// nobody.</summary>
    public override string ToString() => Message;
}
