using System.Runtime.CompilerServices;

namespace UvlhubAspire.AppHost.Tests;

/// <summary>
/// Models that are only looked at do not watch their files of settings: each watcher takes one of the 128 that Linux
/// gives a user, and many tests build a model.
/// </summary>
internal static class ConfigurationReload
{
    [ModuleInitializer]
    internal static void SwitchOff() => Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
}
