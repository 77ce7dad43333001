namespace UvlhubAspire.Engine;

/// <summary>Files that nobody but this user may read.</summary>
public static class PrivateFile
{
    /// <summary>What such a file is opened with, to be written; one that is there already keeps the rights that it has.</summary>
    /// <param name="mode">Whether it may be there already.</param>
    public static FileStreamOptions Options(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
