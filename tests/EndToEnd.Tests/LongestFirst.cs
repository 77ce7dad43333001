using UvlhubAspire.EndToEnd.Tests;
using UvlhubAspire.EndToEnd.Tests.Tutorial;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Begins with the tests that take minutes, so that the last one does not run alone at the end.</summary>
internal sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] s_longest =
        [nameof(TutorialTests), nameof(PublishedSwarmTests), ProductionGroup.Name, ScriptsGroup.Name, EditedGroup.Name];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Array.FindIndex(s_longest, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal)) is >= 0 and var place ? place : s_longest.Length)];
}
