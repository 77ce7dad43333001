using System.Runtime.InteropServices;

namespace UvlhubAspire.Runner.Snapshots;

/// <summary>
/// Makes the names in a folder outlive a power cut. A file that is flushed is on the disk, and its name in the folder need not
/// be (https://man7.org/linux/man-pages/man2/fsync.2.html); .NET opens no folder.
/// </summary>
internal static class DurableFolder
{
    private const int ReadOnly = 0;

    /// <summary>Flushes the folder. Where the file system takes no such request, nothing happens.</summary>
    public static void Flush(string folder)
    {
        // Windows writes names down with the file.
        if (OperatingSystem.IsWindows() || Open([.. System.Text.Encoding.UTF8.GetBytes(folder), 0], ReadOnly) is not (>= 0 and var handle))
        {
            return;
        }

        _ = Synchronize(handle);
        _ = Close(handle);
    }

    [DllImport("libc", EntryPoint = "open", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Synchronize(int handle);

    [DllImport("libc", EntryPoint = "close", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int handle);
}
