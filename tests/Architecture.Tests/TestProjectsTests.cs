using System.Text.RegularExpressions;
using Xunit;

namespace UvlhubAspire.Architecture.Tests;

/// <summary>A project's tests are in a project of their own, and none of them is forgotten.</summary>
public sealed partial class TestProjectsTests
{
    private const string Support = "tests/TestSupport";

    // What the AppHost and the migrator are made of. ServiceDefaults sends telemetry, which needs them both to be seen.
    private static readonly string[] s_libraries = [.. House.Projects.Keys.Except(["AppHost", "UvlhubRunner", "ServiceDefaults"])];

    private static string[] Projects { get; } =
        [.. Directory.GetDirectories(Path.Combine(House.Root, "tests"), "*.Tests").Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_project_has_tests_of_its_own() =>
        Assert.Empty(
            House.Projects.Keys.Except(["ServiceDefaults"]).Select(project => $"{Path.GetFileName(project)}.Tests").Except(Projects));

    [Fact]
    public void A_librarys_tests_need_nothing_beside_it() =>
        Assert.All(
            s_libraries,
            library =>
                Assert.Equal(
                    [library, Support], House.ReferencesOf($"tests/{Path.GetFileName(library)}.Tests").Order(StringComparer.Ordinal)));

    [Fact]
    public void What_tests_share_refers_to_libraries_alone() => Assert.Empty(House.ReferencesOf(Support).Except(s_libraries));

    [Fact]
    public void The_script_runs_all_of_them()
    {
        var list = List().Match(File.ReadAllText(Path.Combine(House.Root, "test"))).Groups[1].Value;
        Assert.Equal(Projects, list.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_solution_has_all_of_them()
    {
        var solution = File.ReadAllText(Path.Combine(House.Root, "UvlhubAspire.sln"));
        Assert.All(Projects, project => Assert.Contains($"\"tests\\{project}\\{project}.csproj\"", solution, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"readonly TEST_PROJECTS=\(([^)]*)\)")]
    private static partial Regex List();
}
