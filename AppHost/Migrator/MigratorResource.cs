using System.Reflection;

namespace UvlhubAspire.AppHost.Migrator;

/// <summary>
/// UvlhubRunner as a program that ends. Not a project resource: Aspire starts those through <c>dotnet run</c>, which
/// takes longer to find out what to start than the migrator takes to find out that there is nothing to do.
/// </summary>
/// <param name="name">The resource's name.</param>
internal sealed class MigratorResource(string name) : ExecutableResource(name, CommandLine[0], Path.GetDirectoryName(CommandLine[^1])!)
{
    /// <summary>
    /// The program that the AppHost's build has built, and what starts it: itself where it is machine code, else
    /// <c>dotnet</c> (UvlhubRunner/Ahead.props).
    /// </summary>
    public static IReadOnlyList<string> CommandLine { get; } = CommandOf(typeof(MigratorResource).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "UvlhubRunner").Value!);

    private static string[] CommandOf(string program) =>
        program.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", program] : [program];
}
