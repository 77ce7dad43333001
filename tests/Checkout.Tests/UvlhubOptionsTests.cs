using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace UvlhubAspire.Checkout.Tests;

/// <summary>What holds for every setting.</summary>
public sealed class UvlhubOptionsTests
{
    [Fact]
    public void Every_setting_can_be_read_by_generated_code()
    {
        var settings = new[] { typeof(UvlhubOptions) }
            .Concat(typeof(UvlhubOptions).GetNestedTypes(BindingFlags.NonPublic | BindingFlags.Public))
            .SelectMany(type => type.GetProperties())
            .ToList();
        Assert.Contains(settings, setting => setting.Name == nameof(UvlhubOptions.DatabaseOptions.Administrator));
        Assert.DoesNotContain(settings, setting => setting.SetMethod is { } set
            && set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)));
    }
}
