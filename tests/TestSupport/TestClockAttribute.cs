using System.Diagnostics;
using System.Reflection;
using Xunit;
using Xunit.v3;

namespace UvlhubAspire.TestSupport;

/// <summary>On an assembly: each test knows how much of its time limit is left.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TestClockAttribute : BeforeAfterTestAttribute
{
    private const string Key = "test-clock";

    // For what says why a test failed, before the runner ends it without a reason.
    private static readonly TimeSpan s_reserve = TimeSpan.FromSeconds(3);

    /// <summary>What is left until just before the test's limit; <see langword="null"/> where it has none.</summary>
    public static TimeSpan? Remaining =>
        TestContext.Current.Test is IXunitTest { Timeout: > 0 } test
            && TestContext.Current.KeyValueStorage.TryGetValue($"{Key}/{test.UniqueID}", out var begun)
            ? TimeSpan.FromMilliseconds(test.Timeout) - s_reserve - Stopwatch.GetElapsedTime((long)begun!)
            : null;

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest, IXunitTest test) =>
        TestContext.Current.KeyValueStorage[$"{Key}/{test.UniqueID}"] = Stopwatch.GetTimestamp();
}
