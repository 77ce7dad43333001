namespace UvlhubAspire.Engine;

/// <summary>
/// Lets in one AppHost of this user at a time, by a file that only one can have open; the system lets go of it when a
/// process ends, however it ends.
/// </summary>
public static class FileLock
{
    private const int HeldOnWindows = unchecked((int)0x80070020);
    private const int HeldOnLinux = 11;
    private const int HeldOnMacOS = 35;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits until nobody else has the file, and takes it.</summary>
    /// <param name="file">The file, with its folder; both are made.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What to dispose of to let the next one in; <see langword="null"/> where such a file cannot be had, and
    /// nobody waits for anybody.</returns>
    public static async Task<IDisposable?> EnterAsync(string file, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException held) when (held.HResult is HeldOnLinux or HeldOnMacOS or HeldOnWindows)
            {
                await Task.Delay(s_pause, cancellationToken);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}
