using UvlhubAspire.Hosting.Compose;

namespace Aspire.Hosting;

/// <summary>Declares differences that are on purpose.</summary>
public static class IntendedDifferenceExtensions
{
    /// <summary>Says why this resource differs from uvlhub's compose files.</summary>
    /// <typeparam name="T">The kind of resource.</typeparam>
    /// <param name="builder">The resource.</param>
    /// <param name="aspect">What differs.</param>
    /// <param name="reason">Why, in a sentence without its final stop.</param>
    /// <param name="subjects">Which of several; none means all, and a name that ends in <c>*</c> means all that begin so.</param>
    /// <returns>The same builder.</returns>
    public static IResourceBuilder<T> DiffersFromCompose<T>(
        this IResourceBuilder<T> builder, DriftAspect aspect, string reason, params string[] subjects)
        where T : IResource =>
        builder.WithAnnotation(new IntendedDifference(aspect, reason, subjects));
}
