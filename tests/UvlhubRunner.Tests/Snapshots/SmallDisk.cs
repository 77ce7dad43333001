using CliWrap;
using CliWrap.Buffered;
using Xunit;

namespace UvlhubAspire.UvlhubRunner.Tests.Snapshots;

/// <summary>A small file system of its own, in memory. Only root can make one.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("uvlhub-runner-disk-").FullName;

    public static async Task<SmallDisk> MountAsync(int megabytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "only root can mount a small file system");
        var disk = new SmallDisk();
        var result = await Cli.Wrap("mount").WithArguments(["-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", disk.Path])
            .WithValidation(CommandResultValidation.None).ExecuteBufferedAsync(TestContext.Current.CancellationToken);
        if (result.ExitCode != 0)
        {
            Directory.Delete(disk.Path);
            Assert.Skip($"no file system can be mounted here: {result.StandardError}");
        }

        return disk;
    }

    /// <summary>Lets nothing be written any more, as a kernel does that has seen an error; or again.</summary>
    public async Task SetWritableAsync(bool isWritable) => await Cli.Wrap("mount")
        .WithArguments(["-o", $"remount,{(isWritable ? "rw" : "ro")}", Path]).ExecuteAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Cli.Wrap("umount").WithArguments(["--lazy", Path]).WithValidation(CommandResultValidation.None).ExecuteAsync();
        Directory.Delete(Path, recursive: true);
    }
}
