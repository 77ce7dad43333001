namespace UvlhubAspire.Runner.Backups;

/// <summary>What ssh needs to reach another machine: files that nobody else can read, for as long as the runner runs.</summary>
internal sealed class SftpAccess(RunnerSettings settings) : IDisposable
{
    private const string Scheme = "sftp:";
    private DirectoryInfo? _folder;

    /// <summary>Options of restic's for a repository; none where it is not reached by ssh.</summary>
    /// <exception cref="UserErrorException">There is no key.</exception>
    public string[] Options(string repository)
    {
        if (!repository.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return [];
        }

        _folder ??= Write(repository);
        return
        [
            "--option",
            $"sftp.args=-i {_folder}/key -o IdentitiesOnly=yes -o UserKnownHostsFile={_folder}/known_hosts -o StrictHostKeyChecking=yes "
            + "-o BatchMode=yes -o ConnectTimeout=20",
        ];
    }

    public void Dispose() => _folder?.Delete(recursive: true);

    private DirectoryInfo Write(string repository)
    {
        if (System.Environment.GetEnvironmentVariable(SecretKeys.BackupSshKey) is not { Length: > 0 } key)
        {
            throw new UserErrorException($"{SecretKeys.BackupSshKey} is empty here, and {repository} is reached with it");
        }

        var folder = Directory.CreateTempSubdirectory("uvlhub-ssh-");
        Add("key", key);
        Add("known_hosts", settings.Options.Backups.KnownHosts ?? "");
        return folder;

        void Add(string name, string text)
        {
            using var writer = new StreamWriter(new FileStream(Path.Combine(folder.FullName, name), PrivateFile.Options(FileMode.CreateNew)));
            writer.Write($"{text.Trim()}\n");
        }
    }
}
