using System.Reflection;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>What README.md says is what there is.</summary>
public sealed class ReadmeTests
{
    // Set by the AppHost or an image for the programs that it starts, not by people.
    private static readonly string[] s_internal = ["Containers", "Local"];

    private static readonly string s_readme = File.ReadAllText(Path.Combine(Path.GetDirectoryName(RepositoryFolder.Images)!, "README.md"));

    public static TheoryData<string> Settings => [.. Names(typeof(UvlhubOptions)).Distinct().Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Settings))]
    public void Every_setting_stands_in_the_table(string setting) =>
        Assert.Matches($"[:`]{setting}[`: ]", s_readme);

    private static IEnumerable<string> Names(Type options) =>
        options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => !s_internal.Contains(property.Name))
            .SelectMany(property => property.PropertyType.IsNested && property.PropertyType.DeclaringType == typeof(UvlhubOptions)
                ? Names(property.PropertyType).Prepend(property.Name)
                : [property.Name]);
}
