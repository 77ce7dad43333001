namespace UvlhubAspire.AppHost.Site;

/// <summary>
/// UvlhubRunner as a program that ends. Not a project resource: Aspire starts those through <c>dotnet run</c>, which
/// takes longer to find out what to start than the migrator takes to find out that there is nothing to do.
/// </summary>
internal sealed class MigratorResource(string name)
    : ExecutableResource(name, RunnerExecutable.Command, Path.GetDirectoryName(RunnerExecutable.File)!);
