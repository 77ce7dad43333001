using CliWrap;
using CliWrap.Buffered;
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

    // mmdebstrap's own.
    private const string DefaultMirror = "http://deb.debian.org/debian";

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
                .WithArguments(
                [
                    "--variant=minbase", "--include=ca-certificates", .. s_options, .. await FromMirrorOfMachineAsync(limit.Token),
                    Suite, archive,
                ])
                // apt reads only one of the two spellings.
                .WithEnvironmentVariables(ProxySettings.Current.ForBuilds.ToDictionary(proxy => proxy.Key, proxy => (string?)proxy.Value))
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

    // The mirror that this machine takes Debian from, where containers reach it, and no password is seen in it.
    private static async Task<string[]> FromMirrorOfMachineAsync(CancellationToken cancellationToken)
    {
        var known = await Cli.Wrap("apt-get")
            .WithArguments(["indextargets", "--format", "$(SITE)", "Created-By: Packages", "Origin: Debian", "Label: Debian"])
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(cancellationToken);
        return known.StandardOutput.Split('\n').Select(site => site.Trim()).FirstOrDefault(site =>
            Uri.TryCreate(site, UriKind.Absolute, out var mirror) && mirror.Scheme is "http" or "https" && !mirror.IsLoopback
            && mirror.UserInfo.Length == 0) is { } mirror
                ? [$"--setup-hook=sed -i 's|{DefaultMirror} |{mirror} |' \"$1/etc/apt/sources.list\""]
                : [];
    }
}
