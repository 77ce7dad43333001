using System.Globalization;
using System.Net;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>Where programs accept connections, from the kernel's own tables.</summary>
internal static class ListeningSocket
{
    private const string Listening = "0A";

    /// <summary>The addresses on which processes listen.</summary>
    /// <param name="processes">Their ids.</param>
    public static IReadOnlyList<IPEndPoint> Of(IEnumerable<int> processes)
    {
        // By the socket's number in the kernel, which is also what a process's open files name.
        var all = ((string[])["/proc/net/tcp", "/proc/net/tcp6"])
            .SelectMany(table => File.ReadLines(table).Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(columns => columns[3] == Listening)
            .ToLookup(columns => $"socket:[{columns[9]}]", columns => EndPoint(columns[1]));
        return [.. processes.SelectMany(Files).Distinct().SelectMany(file => all[file])];
    }

    private static IEnumerable<string> Files(int process)
    {
        try
        {
            return [.. Directory.GetFiles($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget).OfType<string>()];
        }
        catch (DirectoryNotFoundException)
        {
            // It has ended.
            return [];
        }
    }

    // '0100007F:1F90': the address as the machine's words of 32 bits, the port as a number.
    private static IPEndPoint EndPoint(string text)
    {
        var address = Convert.FromHexString(text.Split(':')[0]);
        var port = int.Parse(text.Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (BitConverter.IsLittleEndian)
        {
            for (var word = 0; word < address.Length; word += sizeof(int))
            {
                Array.Reverse(address, word, sizeof(int));
            }
        }

        return new IPEndPoint(new IPAddress(address), port);
    }
}
