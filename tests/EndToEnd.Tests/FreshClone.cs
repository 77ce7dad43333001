using CliWrap;
using CliWrap.Buffered;
using UvlhubAspire.Checkout;

namespace UvlhubAspire.EndToEnd.Tests;

/// <summary>The repository's files in an empty folder, as a new user has them after cloning; its commands are what is tested.</summary>
public sealed class FreshClone : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("uvlhub-aspire-clone-");

    public static async Task<FreshClone> MakeAsync(CancellationToken cancellationToken)
    {
        var clone = new FreshClone();
        var repository = Path.GetDirectoryName(RepositoryFolder.Images)!;
        var files = await Cli.Wrap("git")
            .WithArguments(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .WithWorkingDirectory(repository)
            .ExecuteBufferedAsync(cancellationToken);
        foreach (var file in files.StandardOutput.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(repository, file))))
        {
            var target = Path.Combine(clone._folder.FullName, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(repository, file), target);
        }

        return clone;
    }

    /// <summary>Runs a command in the clone and returns how it ended.</summary>
    public async Task<BufferedCommandResult> ExecuteAsync(string command, string[] arguments, CancellationToken cancellationToken) =>
        await Cli.Wrap(command.StartsWith("./", StringComparison.Ordinal) ? Path.Combine(_folder.FullName, command[2..]) : command)
            .WithArguments(arguments)
            .WithWorkingDirectory(_folder.FullName)
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(cancellationToken);

    public void Dispose() => _folder.Delete(recursive: true);
}
