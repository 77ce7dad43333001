using Xunit;

namespace UvlhubAspire.Architecture.Tests;

/// <summary>References go one way, between projects and between the AppHost's rooms.</summary>
public sealed class DirectionTests
{
    [Fact]
    public void A_project_refers_to_what_the_house_says_and_to_nothing_else() =>
        Assert.All(
            House.Projects,
            project =>
                Assert.Equal(project.Value.Order(StringComparer.Ordinal), House.ReferencesOf(project.Key).Order(StringComparer.Ordinal)));

    [Fact]
    public void Every_folder_of_the_AppHost_is_a_room() =>
        Assert.Equal(
            House.Rooms.Where(room => !room.EndsWith(".cs", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            Directory.GetDirectories(Path.Combine(House.Root, "AppHost")).Select(folder => Path.GetFileName(folder)!)
                .Except(["bin", "obj", "Properties"]).Order(StringComparer.Ordinal));

    [Fact]
    public void A_room_refers_only_to_rooms_before_it() => Assert.Empty(Wrong(RoomGraph.Read()));

    [Fact]
    public void A_reference_in_the_wrong_direction_is_found()
    {
        var planted = RoomGraph.Read((
            Path.Combine("Uvlhub", "Planted.cs"),
            "using UvlhubAspire.AppHost.Start; namespace UvlhubAspire.AppHost.Uvlhub; class Planted { object P => "
            + "typeof(ReadyAnnouncement); }"));
        Assert.Equal(["Uvlhub -> Start: Uvlhub/Planted.cs:1: ReadyAnnouncement"], Wrong(planted));
    }

    private static IEnumerable<string> Wrong(ILookup<(string From, string To), string> graph) =>
        from edge in graph
        where Array.IndexOf([.. House.Rooms], edge.Key.To) >= Array.IndexOf([.. House.Rooms], edge.Key.From)
        from place in edge
        select $"{edge.Key.From} -> {edge.Key.To}: {place}";
}
