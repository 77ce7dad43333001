using System.Reflection;

namespace UvlhubAspire.Checkout;

/// <summary>The migrator's program as the build made it (UvlhubRunner/AheadOfTime.props); the project file names it.</summary>
public static class RunnerExecutable
{
    /// <summary>The program's file.</summary>
    public static string File { get; } = typeof(RunnerExecutable).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "UvlhubRunner").Value!;

    /// <summary>What is started: itself where it is machine code, else <c>dotnet</c>.</summary>
    public static string Command { get; } = IsMachineCode ? File : "dotnet";

    /// <summary>What comes before the words that are meant for it.</summary>
    public static IReadOnlyList<string> Arguments { get; } = IsMachineCode ? [] : [File];

    private static bool IsMachineCode => !File.EndsWith(".dll", StringComparison.Ordinal);
}
