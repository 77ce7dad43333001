using System.Security.Cryptography;

namespace UvlhubAspire.Runner.Backups;

/// <summary>
/// The series of backups that this server makes, a file beside the snapshots. What is kept by age is counted within a series: the
/// backups of a server that has just been set up must not take the place of those that it is about to be restored from. A restore
/// continues the series of its backup.
/// </summary>
internal sealed class BackupSeries(RunnerSettings settings)
{
    /// <summary>The file: the series, and the repository that it is in.</summary>
    public string File => Path.Combine(settings.SnapshotFolder, "backups");

    /// <summary>The series; <see langword="null"/> before the first backup.</summary>
    public string? Id => Read()?[0];

    /// <summary>Whether it has been in this repository before, which then must be there.</summary>
    public bool IsIn(string repository) => Read()?[1] == repository;

    /// <summary>Goes on with the series in a repository; begins one if there is none.</summary>
    public void Continue(string repository)
    {
        if (!IsIn(repository))
        {
            Write(Id ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4)), repository);
        }
    }

    /// <summary>Goes on with another series.</summary>
    public void Write(string id, string repository) => System.IO.File.WriteAllLines(File, [id, repository]);

    private string[]? Read() => System.IO.File.Exists(File) && System.IO.File.ReadAllLines(File) is [_, _] lines ? lines : null;
}
