using System.Runtime.InteropServices;
using System.Text;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>
/// Who a checkout's files belong to. What its containers write into the mounted folder has to belong to the same person:
/// as root's, an app.log or an upload can neither be deleted nor be written again without sudo.
/// </summary>
/// <param name="User">The user's number.</param>
/// <param name="Group">The group's number.</param>
public sealed partial record CheckoutOwner(uint User, uint Group)
{
    private const int CurrentFolder = -100;
    private const uint UserAndGroup = 0x8 | 0x10;
    private const int UserOffset = 20;
    private const int GroupOffset = 24;

    /// <summary>What <c>--user</c> takes.</summary>
    public override string ToString() => $"{User}:{Group}";

    /// <summary>
    /// The user that containers with this folder run as; <see langword="null"/> where it is the image's: the folder is
    /// root's, or the engine is one that maps users itself (Docker Desktop, a rootless engine).
    /// </summary>
    public static CheckoutOwner? Of(string folder, ContainerEngine engine)
    {
        if (!OperatingSystem.IsLinux() || engine.Executable != "docker" || IsRootless(Environment.GetEnvironmentVariable("DOCKER_HOST")))
        {
            return null;
        }

        return Read(folder) is { User: not 0 } owner ? owner : null;
    }

    /// <summary>Whether an engine's address is that of one which runs as an ordinary user.</summary>
    internal static bool IsRootless(string? address) => address?.StartsWith("unix:///run/user/", StringComparison.Ordinal) == true;

    /// <summary>The owner of a file or folder; <see langword="null"/> if it cannot be told.</summary>
    internal static CheckoutOwner? Read(string path)
    {
        // .NET does not tell an owner. Unlike stat, statx has the same layout on every processor.
        var answer = new byte[256];
        return Statx(CurrentFolder, [.. Encoding.UTF8.GetBytes(path), 0], 0, UserAndGroup, answer) == 0
            ? new CheckoutOwner(BitConverter.ToUInt32(answer, UserOffset), BitConverter.ToUInt32(answer, GroupOffset))
            : null;
    }

    [DllImport("libc", EntryPoint = "statx", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int folder, byte[] path, int flags, uint mask, byte[] answer);
}
