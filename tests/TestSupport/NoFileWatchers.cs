using System.Runtime.CompilerServices;

namespace UvlhubAspire.TestSupport;

/// <summary>
/// Keeps the many applications that these tests build from watching their settings files: each watch takes one of the
/// user's inotify instances, of which a machine has 128.
/// </summary>
internal static class NoFileWatchers
{
    // Not in a fixture: the first application may be built before any of them.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize() => Environment.SetEnvironmentVariable("DOTNET_hostBuilder__reloadConfigOnChange", "false");
}
