using System.Reflection;

namespace UvlhubAspire.AppHost.Migrator;

/// <summary>The migrator's program as the build made it (UvlhubRunner/Ahead.props); the project file names it.</summary>
internal static class RunnerExecutable
{
    /// <summary>The program's file.</summary>
    public static string File { get; } = typeof(RunnerExecutable).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "UvlhubRunner").Value!;

    /// <summary>What starts it: itself where it is machine code, else <c>dotnet</c>.</summary>
    public static IReadOnlyList<string> CommandLine { get; } = File.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", File] : [File];
}
