using UvlhubAspire.EndToEnd.Tests;
using UvlhubAspire.EndToEnd.Tests.Tutorial;
using Xunit;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(TestOrder))]
// More than there are processors: each waits for containers most of the time.
[assembly: Parallelization(MaxThreads = 3)]

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>These take minutes.</summary>
internal sealed class TestOrder() : LongestFirst(
    nameof(TutorialTests), BoxGroup.Name, nameof(PublishedSwarmTests), nameof(DeployTests), ProductionGroup.Name, ScriptsGroup.Name, EditedGroup.Name,
    nameof(LoneAppHostTests));
