using CliWrap;
using CliWrap.Exceptions;
using Microsoft.Extensions.Logging;

namespace UvlhubAspire.Hosting.Containers;

/// <summary>The bottom layer of every stand-in: a minimal Debian, made from Debian's packages alone.</summary>
public static class DebianBase
{
    /// <summary>The suite; uvlhub's own images are built on the same one.</summary>
    public const string Suite = "trixie";

    /// <summary>The image's name.</summary>
    public const string Image = $"uvlhub-aspire/debian:{Suite}";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    // They stay in the image and hold for every package that a stand-in installs: an image's layer is complete or it is
    // not there, so that no file needs to be forced onto the disk, and nobody reads manuals or translations in it.
    private static readonly string[] s_options =
    [
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--aptopt=Acquire::Languages \"none\"",
    ];

    /// <summary>Makes the image if it is not there.</summary>
    /// <exception cref="ImageException">It could not be made; the message says why.</exception>
    public static async Task EnsureAsync(ContainerEngine engine, ILogger logger, ILogger console, CancellationToken cancellationToken)
    {
        if (await engine.HasImageAsync(Image, cancellationToken))
        {
            return;
        }

        ImageLog.Building(logger, Image);
        ImageLog.Building(console, Image);
        var tail = new OutputTail(line => ImageLog.BuildOutput(logger, line));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        // By way of a file: an import ends reading at the archive's end mark, and mmdebstrap takes the closed pipe for a failure.
        var folder = Directory.CreateTempSubdirectory("uvlhub-aspire-debian-");
        try
        {
            var archive = Path.Combine(folder.FullName, $"{Suite}.tar");
            await Cli.Wrap("mmdebstrap")
                .WithArguments(["--variant=minbase", "--include=ca-certificates", .. s_options, Suite, archive])
                .WithStandardErrorPipe(PipeTarget.ToDelegate(tail.Add))
                .ExecuteAsync(limit.Token);
            await Cli.Wrap(engine.Executable)
                .WithArguments(["import", archive, Image])
                // It prints what it made, and would be ended while it does so if nobody read it.
                .WithStandardOutputPipe(PipeTarget.ToDelegate(tail.Add))
                .WithStandardErrorPipe(PipeTarget.ToDelegate(tail.Add))
                .ExecuteAsync(limit.Token);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw ImageException.NotBuilt(
                Image, "mmdebstrap is not installed: './run' installs it on Debian, elsewhere install it or set Uvlhub:Images=registry");
        }
        catch (Exception exception) when (exception is CliWrapException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw ImageException.NotBuilt(
                Image, exception is OperationCanceledException ? $"not done within {s_limit.TotalMinutes:0} minutes"
                : $"{tail}{Environment.NewLine}{exception.Message.Split('\n')[0].Trim()}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
