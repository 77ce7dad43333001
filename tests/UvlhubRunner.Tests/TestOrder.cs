using UvlhubAspire.UvlhubRunner.Tests;
using UvlhubAspire.UvlhubRunner.Tests.Runs;
using Xunit;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(TestOrder))]
// More than there are processors: each waits for containers most of the time.
[assembly: Parallelization(MaxThreads = 4)]

namespace UvlhubAspire.UvlhubRunner.Tests;

/// <summary>These take about a minute.</summary>
internal sealed class TestOrder() : LongestFirst(
    nameof(GateTests), nameof(WayOutTests), nameof(FirstKillTests), nameof(LiveUndoTests), nameof(ServerTests), nameof(SecondKillTests),
    nameof(RehearsalTests), nameof(InterruptionTests), nameof(VerbTests), nameof(SeedingTests));
