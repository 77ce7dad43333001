using Xunit.Sdk;
using Xunit.v3;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Runs the tests of a class as they are written down, where one that stands at the end would cost the others too much.</summary>
internal sealed class InOrderOfTheFile : ITestMethodOrderer
{
    /// <inheritdoc/>
    public IReadOnlyCollection<TTestMethod?> OrderTestMethods<TTestMethod>(IReadOnlyCollection<TTestMethod?> testMethods)
        where TTestMethod : notnull, ITestMethod =>
        [.. testMethods.OrderBy(method => (method as IXunitTestMethod)?.FactAttributes.First().SourceLineNumber)];
}
