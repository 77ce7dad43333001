using System.Globalization;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Finds out who listens on a port, so that the message can name it. Linux only; elsewhere nobody is named.</summary>
public static class PortOwner
{
    /// <summary>The process that listens on a TCP port: <c>name (process 123)</c>; <see langword="null"/> if it cannot be told.</summary>
    public static string? Find(int port)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            var sockets = new[] { "/proc/net/tcp", "/proc/net/tcp6" }.Where(File.Exists)
                .SelectMany(file => File.ReadLines(file).Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                // Columns: slot, local address, remote address, state (0A: listening), …, inode.
                .Where(
                    columns => columns[3] == "0A"
                    && int.Parse(columns[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port)
                .Select(columns => $"socket:[{columns[9]}]")
                .ToHashSet(StringComparer.Ordinal);
            var process = Directory.EnumerateDirectories("/proc")
                .Where(folder => int.TryParse(Path.GetFileName(folder), out _))
                .FirstOrDefault(folder => HasSocket(folder, sockets));
            return process is null ? null : $"{File.ReadAllText($"{process}/comm").Trim()} (process {Path.GetFileName(process)})";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool HasSocket(string process, HashSet<string> sockets)
    {
        try
        {
            return Directory.EnumerateFiles($"{process}/fd")
                .Any(file => new FileInfo(file).LinkTarget is { } target && sockets.Contains(target));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Processes of other users, and those that have just ended.
            return false;
        }
    }
}
