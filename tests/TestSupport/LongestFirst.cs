using Xunit.Sdk;
using Xunit.v3;

namespace UvlhubAspire.TestSupport;

/// <summary>Begins with the tests that take longest, so that the last one does not run alone at the end.</summary>
/// <param name="longest">Parts of the names of these collections, the longest first. The others follow as they come.</param>
public abstract class LongestFirst(params string[] longest) : ITestCollectionOrderer
{
    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => PlaceOf(collection.TestCollectionDisplayName))];

    private int PlaceOf(string collection)
    {
        var place = Array.FindIndex(longest, name => collection.Contains(name, StringComparison.Ordinal));
        return place < 0 ? longest.Length : place;
    }
}
