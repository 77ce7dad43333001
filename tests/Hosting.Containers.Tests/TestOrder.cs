using UvlhubAspire.Hosting.Containers.Tests;
using UvlhubAspire.Hosting.Containers.Tests.Images;
using Xunit;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(TestOrder))]
// More than there are processors: each waits for containers most of the time.
[assembly: Parallelization(MaxThreads = 3)]

namespace UvlhubAspire.Hosting.Containers.Tests;

/// <summary>These take minutes where their images have to be built.</summary>
internal sealed class TestOrder() : LongestFirst(nameof(HeavyImageTests), nameof(MariaDBImageTests), nameof(FlaskImageTests));
