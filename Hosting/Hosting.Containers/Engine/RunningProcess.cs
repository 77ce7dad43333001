using System.Diagnostics;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>Whether a process still runs. A number alone says little: it may be another process's by now.</summary>
internal static class RunningProcess
{
    /// <summary>Whether there is a process of this number whose program's name begins so.</summary>
    /// <param name="number">The process's number.</param>
    /// <param name="name">The beginning of the name. Default: any.</param>
    public static bool Is(int number, string name = "")
    {
        try
        {
            using var running = Process.GetProcessById(number);
            return !running.HasExited && running.ProcessName.StartsWith(name, StringComparison.OrdinalIgnoreCase);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
