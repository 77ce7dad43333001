using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using UvlhubAspire.Checkout;
using Xunit;

namespace UvlhubAspire.Architecture.Tests;

/// <summary>No setting is there for nothing.</summary>
public sealed class SettingsTests
{
    [Fact]
    public void Every_setting_is_read_by_the_AppHost_or_the_migrator()
    {
        var called = ((string[])["AppHost.dll", "UvlhubRunner.dll"]).SelectMany(CalledMembers).ToHashSet(StringComparer.Ordinal);
        List<string> getters =
        [
            .. typeof(UvlhubOptions).GetNestedTypes().Append(typeof(UvlhubOptions))
                .SelectMany(type => type.GetProperties()).Select(property => $"{property.DeclaringType!.Name}.get_{property.Name}"),
        ];
        Assert.Contains("GunicornOptions.get_Workers", getters);
        Assert.Equal([], getters.Where(getter => !called.Contains(getter)));
    }

    // An assembly lists each member of another one that its code calls; a nameof is no call.
    private static List<string> CalledMembers(string assembly)
    {
        using var file = new PEReader(File.OpenRead(Path.Combine(AppContext.BaseDirectory, assembly)));
        var metadata = file.GetMetadataReader();
        return
        [
            .. from handle in metadata.MemberReferences
               let member = metadata.GetMemberReference(handle)
               where member.Parent.Kind == HandleKind.TypeReference
               let type = metadata.GetTypeReference((TypeReferenceHandle)member.Parent)
               select $"{metadata.GetString(type.Name)}.{metadata.GetString(member.Name)}",
        ];
    }
}
